"""Fingerprints of the keys that this database was made with. It never stores a key."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Hash, Json, Strings, When
from models.store.database import Base, now


class Keyring(Base):
    """One row. `root` and the values of `email_keys` (by key id) are HMACs under the root key; see
    `models/store/keyring.py`.

    `retired` are ids of keys that no address needs any more.
    """

    __tablename__ = "keyring"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[Hash]
    email_keys: Mapped[dict[str, str]] = mapped_column(Json)
    retired: Mapped[Strings]
    at: Mapped[When] = mapped_column(default=now)
