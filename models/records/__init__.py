"""One file for each table. All are imported here, so that the schema is complete."""

from models.records.act import Act
from models.records.address_key import AddressKey
from models.records.api_key import ApiKey
from models.records.appeal import Appeal
from models.records.attempt import Attempt
from models.records.block import Block
from models.records.chore import Chore
from models.records.claim import Claim
from models.records.comment import Comment
from models.records.decision import DecisionRecord
from models.records.delivery import Delivery
from models.records.edit import Edit
from models.records.endpoint import Endpoint
from models.records.event import Event
from models.records.fingerprint import Fingerprint
from models.records.follow import Follow
from models.records.heartbeat import Heartbeat
from models.records.keyring import Keyring
from models.records.linked_host import LinkedHost
from models.records.mail import Mail, MailAttempt
from models.records.mailbox import Mailbox
from models.records.membership import Membership
from models.records.moderator import Moderator
from models.records.note import Note, Question
from models.records.notice import Notice
from models.records.passed import Passed
from models.records.policy_version import PolicyVersion
from models.records.proof import Proof
from models.records.reader import Reader
from models.records.reader_key import ReaderKey
from models.records.report import Report
from models.records.review import Review
from models.records.screening import Screening
from models.records.session import ConsoleSession
from models.records.sign_on import SignOn, SignOnSecret, SpentToken
from models.records.site import Site
from models.records.site_model import SiteModelRecord
from models.records.site_score import SiteScore
from models.records.statement import Statement
from models.records.thread import Thread
from models.records.ticket import Ticket

__all__ = [
    "Act",
    "AddressKey",
    "ApiKey",
    "Appeal",
    "Attempt",
    "Block",
    "Chore",
    "Claim",
    "Comment",
    "ConsoleSession",
    "DecisionRecord",
    "Delivery",
    "Edit",
    "Endpoint",
    "Event",
    "Fingerprint",
    "Follow",
    "Heartbeat",
    "Keyring",
    "LinkedHost",
    "Mail",
    "MailAttempt",
    "Mailbox",
    "Membership",
    "Moderator",
    "Note",
    "Notice",
    "Passed",
    "PolicyVersion",
    "Proof",
    "Question",
    "Reader",
    "ReaderKey",
    "Report",
    "Review",
    "Screening",
    "SignOn",
    "SignOnSecret",
    "Site",
    "SiteModelRecord",
    "SiteScore",
    "SpentToken",
    "Statement",
    "Thread",
    "Ticket",
]
