"""The engine: executes BPMN processes and enforces their deadlines; knows no HTTP, no login, no page."""
