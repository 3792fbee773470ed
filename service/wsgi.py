"""The application that Granian loads, in a process that ends with its parent."""

from models.store import deadlines
from service.app import create_app
from worker.lifeline import watch_parent

watch_parent()
deadlines.be_patient(deadlines.WEB_PATIENCE, silence=deadlines.WEB_SILENCE)
app = create_app()
