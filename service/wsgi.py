"""What Granian loads: the application, in a process that ends with its parent."""

from service.app import create_app
from worker.lifeline import watch_parent

watch_parent()
app = create_app()
