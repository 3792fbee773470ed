"""Every policy that a site has had, so that old decisions can be understood."""

from __future__ import annotations

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Object, SiteRef, When
from models.store.database import Base, now


class PolicyVersion(Base):
    __tablename__ = "policy_versions"
    __table_args__ = (UniqueConstraint("site_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[SiteRef]
    version: Mapped[int]
    policy: Mapped[Object]
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[When] = mapped_column(default=now)
