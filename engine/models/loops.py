"""Table of the items that sequential multi-instance activities still have before them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Json, Key


class LoopItems(Base):
    """A stretch of a live loop's input collection, which is evaluated once; gone when the loop has ended."""

    __tablename__ = "loop_items"
    __table_args__ = (
        # The next item of a loop, and the end of all that belongs to it.
        Index("ix_loop_items_element_instance", "element_instance_key", "first"),
        Index("ix_loop_items_instance", "instance_key"),
    )

    key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    instance_key: Mapped[int] = mapped_column(Key, ForeignKey("process_instance.key"))
    #: The multi-instance body.
    element_instance_key: Mapped[int] = mapped_column(Key)
    #: The place of the stretch's first item in the collection, counted from 0.
    first: Mapped[int]
    items: Mapped[list[Any]] = mapped_column(Json)
