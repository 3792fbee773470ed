"""Column types that several tables share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import JSON, ForeignKey, String, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column

from models.identifiers import new_id
from models.store.database import Moment

Json = JSON().with_variant(JSONB(), "postgresql")

Id = Annotated[str, mapped_column(Uuid(as_uuid=False), primary_key=True, default=new_id)]
SiteRef = Annotated[int, mapped_column(ForeignKey("sites.id"))]
CommentRef = Annotated[str, mapped_column(Uuid(as_uuid=False), ForeignKey("comments.id"))]
When = Annotated[datetime, mapped_column(Moment)]
Strings = Annotated[list[str], mapped_column(Json)]
Object = Annotated[dict[str, Any], mapped_column(Json)]
Word = Annotated[str, mapped_column(String(20))]
Hash = Annotated[str, mapped_column(String(64))]
