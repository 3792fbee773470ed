"""`greenroom up`: all of Greenroom on one machine, supervised by one process."""

from service.up.supervisor import up

__all__ = ["up"]
