"""Who there is: users, the groups they work in, and failed attempts to sign in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from database import Base, Instant


class Role(StrEnum):
    """What a user may do besides their own groups' work; each person has one."""

    STAFF = "staff"
    PROCESS_OWNER = "process owner"
    MANAGER = "manager"
    ADMIN = "admin"
    #: Another system, not a person: it does jobs and sends messages and signals, and takes no part in anything else.
    WORKER = "worker"


class Group(Base):
    """Users who share a kind of work; the id is the role's name as diagrams write it, e.g. `业务接待员`."""

    __tablename__ = "people_group"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    name_en: Mapped[str] = mapped_column(String(100), default="")

    def label(self, locale: str) -> str:
        """Return the group's name in the language `locale`."""
        return self.name_en if locale == "en" and self.name_en else self.id


class Membership(Base):
    """A user works in a group."""

    __tablename__ = "people_membership"

    username: Mapped[str] = mapped_column(ForeignKey("people_user.username", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[str] = mapped_column(
        ForeignKey("people_group.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class User(Base):
    """A person who can sign in."""

    __tablename__ = "people_user"

    username: Mapped[str] = mapped_column(String(100), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20), default=Role.STAFF.value)
    active: Mapped[bool] = mapped_column(default=True)
    #: `zh` or `en`; null: as the browser asks.
    locale: Mapped[str | None] = mapped_column(String(5))
    created_at: Mapped[datetime] = mapped_column(Instant)
    #: Rises when the password changes or the user is deactivated, which ends the sessions opened before.
    credentials_version: Mapped[int] = mapped_column(default=1)

    groups: Mapped[list[Group]] = relationship(secondary="people_membership", lazy="selectin", order_by="Group.id")

    @property
    def group_ids(self) -> frozenset[str]:
        """The ids of the groups that the user works in."""
        return frozenset(group.id for group in self.groups)

    # What Flask-Login asks of a user.

    @property
    def is_authenticated(self) -> bool:
        """A user from the database is never anonymous."""
        return True

    @property
    def is_active(self) -> bool:
        """A deactivated user cannot sign in."""
        return self.active

    @property
    def is_anonymous(self) -> bool:
        """A user from the database is never anonymous."""
        return False

    def get_id(self) -> str:
        """Return what the session remembers: the username, and which credentials were used."""
        return f"{self.credentials_version}:{self.username}"


class SignInFailure(Base):
    """Failed attempts to sign in as one user from one address; gone after a success or when they are old."""

    __tablename__ = "people_sign_in_failure"

    username: Mapped[str] = mapped_column(String(100), primary_key=True)
    address: Mapped[str] = mapped_column(String(100), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(Instant, index=True)
