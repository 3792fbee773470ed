"""The key of one day's address hashes. It is random and deleted soon, so yesterday's hashes cannot
be undone.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.store.database import Base


class AddressKey(Base):
    __tablename__ = "address_keys"

    day: Mapped[date] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
