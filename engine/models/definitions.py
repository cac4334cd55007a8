"""What is deployed: immutable versions of processes, decisions and forms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Instant, Json, Key


class Deployment(Base):
    """One unit of resources that were deployed together."""

    __tablename__ = "deployment"

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    created_at: Mapped[datetime] = mapped_column(Instant)
    created_by: Mapped[str] = mapped_column(default="")


class ProcessDefinition(Base):
    """One version of one BPMN process."""

    __tablename__ = "process_definition"
    __table_args__ = (
        UniqueConstraint("process_id", "version"),
        # The latest version of a process: the start page, call activities, redeployment.
        Index("ix_process_definition_latest", "process_id", "version"),
    )

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    process_id: Mapped[str]
    version: Mapped[int]
    name: Mapped[str]
    version_tag: Mapped[str | None]
    resource_name: Mapped[str]
    xml: Mapped[str] = mapped_column(Text, deferred=True)
    checksum: Mapped[str]
    start_form_id: Mapped[str | None]
    #: A person can start it: it has a none start event, and its property `startable` does not say no.
    startable: Mapped[bool]
    #: Candidate groups of the start event's lane: who may start it; empty: everybody.
    starter_groups: Mapped[list[str]] = mapped_column(Json)
    #: Every group that the diagram names: who takes part, and so may see its instances.
    groups: Mapped[list[str]] = mapped_column(Json)
    deployment_key: Mapped[int] = mapped_column(Key, ForeignKey("deployment.key"))
    created_at: Mapped[datetime] = mapped_column(Instant)


class FormDefinition(Base):
    """One version of one bpmn.io form."""

    __tablename__ = "form_definition"
    __table_args__ = (UniqueConstraint("form_id", "version"),)

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    form_id: Mapped[str]
    version: Mapped[int]
    resource_name: Mapped[str]
    schema: Mapped[dict[str, Any]] = mapped_column(Json, deferred=True)
    checksum: Mapped[str]
    deployment_key: Mapped[int] = mapped_column(Key, ForeignKey("deployment.key"))
    created_at: Mapped[datetime] = mapped_column(Instant)


class DecisionRequirements(Base):
    """One version of one DMN file."""

    __tablename__ = "decision_requirements"
    __table_args__ = (UniqueConstraint("requirements_id", "version"),)

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    requirements_id: Mapped[str]
    version: Mapped[int]
    name: Mapped[str]
    resource_name: Mapped[str]
    xml: Mapped[str] = mapped_column(Text, deferred=True)
    checksum: Mapped[str]
    deployment_key: Mapped[int] = mapped_column(Key, ForeignKey("deployment.key"))
    created_at: Mapped[datetime] = mapped_column(Instant)


class DecisionDefinition(Base):
    """One version of one decision in a DMN file."""

    __tablename__ = "decision_definition"
    __table_args__ = (UniqueConstraint("decision_id", "version"),)

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    decision_id: Mapped[str]
    version: Mapped[int]
    name: Mapped[str]
    requirements_key: Mapped[int] = mapped_column(Key, ForeignKey("decision_requirements.key"))
