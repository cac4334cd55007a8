// Requests of the islands to their own server: with the session, the CSRF token, and an error that names what went wrong.
import { csrfToken } from './page';

/** An answer that is not the hoped-for one; `body` is its JSON if it had one. */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    readonly body: unknown,
    url: string,
  ) {
    super(`${new URL(url, document.baseURI).pathname}: ${status}`);
  }
}

async function request(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, { credentials: 'same-origin', ...init });
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  throw new RequestError(response.status, body, url);
}

export async function fetchText(url: string): Promise<string> {
  return (await request(url)).text();
}

export async function fetchJson<T>(url: string): Promise<T> {
  return (await (await request(url, { headers: { Accept: 'application/json' } })).json()) as T;
}

/** Raises RequestError for every status from 400. */
export async function post<T>(url: string, body: string, contentType: string): Promise<T> {
  const headers = { Accept: 'application/json', 'Content-Type': contentType, 'X-CSRFToken': csrfToken() };
  return (await (await request(url, { method: 'POST', headers, body })).json()) as T;
}
