"""`greenroom up`: all of Greenroom on one machine, minded by one process."""

from service.up.supervisor import up

__all__ = ["up"]
