"""The minimal Flask service: it inserts one row into the same kind of database, and answers."""

from __future__ import annotations

from flask import Flask, request
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert

from models.store.database import begin, engine

rows = Table("bare_rows", MetaData(), Column("id", Integer, primary_key=True), Column("body", Text))
app = Flask("bare")
with begin() as session:
    rows.metadata.create_all(session.connection(), checkfirst=True)
engine()


@app.post("/bare")
def keep() -> tuple[dict[str, str], int]:
    said = request.get_json()
    with begin() as session:
        session.connection().execute(insert(rows), {"body": said["body"]})
    return {"status": "kept"}, 202


@app.get("/health/ready")
def ready() -> dict[str, str]:
    return {"status": "ok"}
