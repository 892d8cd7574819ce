"""Who may do what: one enum, one map. Deny unless granted."""

from enum import StrEnum


class MemberRole(StrEnum):
    """A person's role, either in the provider's staff or in a client company."""

    OWNER = "owner"
    MANAGER = "manager"
    DISPATCHER = "dispatcher"
    L1 = "l1"
    L2 = "l2"
    L3 = "l3"
    CLIENT_ADMIN = "client_admin"
    CLIENT_USER = "client_user"


STAFF_ROLES = (
    MemberRole.OWNER,
    MemberRole.MANAGER,
    MemberRole.DISPATCHER,
    MemberRole.L1,
    MemberRole.L2,
    MemberRole.L3,
)
CLIENT_ROLES = (MemberRole.CLIENT_ADMIN, MemberRole.CLIENT_USER)


class Permission(StrEnum):
    """One line per right."""

    USE_ACCOUNT = "account.use"
    MINT_TOKENS = "tokens.mint"

    VIEW_PORTAL = "portal.view"
    OPEN_OWN_TICKETS = "portal.open_tickets"
    # In no role: each client says who of its people reads all of its tickets (tenants.people.rules.reads_company).
    VIEW_COMPANY_TICKETS = "portal.view_company_tickets"
    VIEW_OWN_CONTRACT = "portal.view_contract"
    VIEW_COMPANY_ASSETS = "portal.view_assets"
    MANAGE_COMPANY_PEOPLE = "portal.manage_people"
    DECIDE_OWN_LANES = "portal.decide_lanes"
    EXPORT_COMPANY = "portal.export"

    VIEW_DESK = "desk.view"
    WORK_TICKETS = "desk.work_tickets"
    ASSIGN_TICKETS = "desk.assign_tickets"
    SET_PRIORITY = "desk.set_priority"
    MANAGE_DESK = "desk.manage"

    SORT_MAIL = "desk.sort_mail"
    TAKE_RAW_MAIL = "desk.take_raw_mail"

    VIEW_CONSOLE = "console.view"
    VIEW_TENANTS = "console.view_tenants"
    MANAGE_TENANTS = "console.manage_tenants"
    VIEW_ASSETS = "console.view_assets"
    MANAGE_ASSETS = "console.manage_assets"
    ENROL_AGENTS = "console.enrol_agents"
    VIEW_CONTRACTS = "console.view_contracts"
    MANAGE_CONTRACTS = "console.manage_contracts"
    PLAN_MAINTENANCE = "console.plan_maintenance"
    MANAGE_VENDORS = "console.manage_vendors"
    VIEW_STAFF = "console.view_staff"
    MANAGE_STAFF = "console.manage_staff"
    MANAGE_CLIENT_PEOPLE = "console.manage_client_people"
    VIEW_AUDIT = "console.view_audit"
    VIEW_OUTBOX = "console.view_outbox"
    RESEND_MAILS = "console.resend_mails"
    VIEW_RATINGS = "console.view_ratings"
    VIEW_FIGURES = "figures.view"
    MANAGE_MAILBOXES = "console.manage_mailboxes"

    VIEW_CAMPAIGNS = "campaigns.view"
    PROPOSE_CAMPAIGNS = "campaigns.propose"
    APPROVE_CAMPAIGNS = "campaigns.approve"
    RUN_CAMPAIGNS = "campaigns.run"
    STOP_CAMPAIGNS = "campaigns.stop"

    MANAGE_TRAINING = "training.manage"

    WRITE_ARTICLES = "knowledge.write"
    PUBLISH_ARTICLES = "knowledge.publish"

    USE_API = "api.use"
    CALCULATE_SLA = "sla.calculate"


P = Permission
_EVERYONE = frozenset({P.USE_ACCOUNT, P.USE_API, P.CALCULATE_SLA})
_STAFF = _EVERYONE | {
    P.VIEW_DESK,
    P.VIEW_CONSOLE,
    P.VIEW_TENANTS,
    P.VIEW_ASSETS,
    P.VIEW_CONTRACTS,
    P.VIEW_CAMPAIGNS,
    P.STOP_CAMPAIGNS,
}
_ENGINEER = _STAFF | {P.WORK_TICKETS, P.SET_PRIORITY}
_L2 = _ENGINEER | {P.MINT_TOKENS, P.MANAGE_ASSETS, P.PROPOSE_CAMPAIGNS, P.WRITE_ARTICLES}
_L3 = _L2 | {
    P.ENROL_AGENTS,
    P.APPROVE_CAMPAIGNS,
    P.RUN_CAMPAIGNS,
    P.ASSIGN_TICKETS,
    P.PLAN_MAINTENANCE,
    P.MANAGE_VENDORS,
    P.PUBLISH_ARTICLES,
    P.SORT_MAIL,
}
_MANAGER = _L3 | {
    P.MANAGE_TENANTS,
    P.MANAGE_CONTRACTS,
    P.VIEW_STAFF,
    P.MANAGE_STAFF,
    P.MANAGE_CLIENT_PEOPLE,
    P.VIEW_AUDIT,
    P.VIEW_OUTBOX,
    P.RESEND_MAILS,
    P.VIEW_RATINGS,
    P.VIEW_FIGURES,
    P.MANAGE_DESK,
    P.MANAGE_MAILBOXES,
    P.TAKE_RAW_MAIL,
    P.MANAGE_TRAINING,
}
_CLIENT_USER = _EVERYONE | {P.VIEW_PORTAL, P.OPEN_OWN_TICKETS}

PERMISSIONS: dict[MemberRole, frozenset[Permission]] = {
    MemberRole.OWNER: _MANAGER,
    MemberRole.MANAGER: _MANAGER,
    MemberRole.DISPATCHER: _STAFF
    | {
        P.WORK_TICKETS,
        P.ASSIGN_TICKETS,
        P.SET_PRIORITY,
        P.VIEW_STAFF,
        P.VIEW_OUTBOX,
        P.VIEW_RATINGS,
        P.VIEW_FIGURES,
        P.SORT_MAIL,
        P.MANAGE_TRAINING,
    },
    MemberRole.L1: _ENGINEER,
    MemberRole.L2: _L2,
    MemberRole.L3: _L3,
    MemberRole.CLIENT_ADMIN: _CLIENT_USER
    | {
        P.MINT_TOKENS,
        P.VIEW_OWN_CONTRACT,
        P.VIEW_COMPANY_ASSETS,
        P.MANAGE_COMPANY_PEOPLE,
        P.DECIDE_OWN_LANES,
        P.EXPORT_COMPANY,
        P.VIEW_AUDIT,
    },
    MemberRole.CLIENT_USER: _CLIENT_USER,
}

# Who may be invited or promoted by whom: strictly below oneself, so that no right appears from nothing.
MAY_APPOINT: dict[MemberRole, tuple[MemberRole, ...]] = {
    MemberRole.OWNER: (*STAFF_ROLES, *CLIENT_ROLES),
    MemberRole.MANAGER: (MemberRole.DISPATCHER, MemberRole.L1, MemberRole.L2, MemberRole.L3, *CLIENT_ROLES),
    MemberRole.CLIENT_ADMIN: CLIENT_ROLES,
}
