"""The people, companies and mandates of the demo: facts, and nothing that acts.

All of them are invented: region 990100 was never assigned, check digits are right. The portals and
the simulators keep their own copies of what they would know; a test holds them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from idp.accounts.models import EnterpriseStatus, EnterpriseType
from idp.accounts.staff import StaffRole

LEGAL_PASSWORD = "Faren-2026-songhua"  # noqa: S105 - printed for everyone who runs the demo
OPERATOR_PASSWORD = "Jingban-2026-songhua"  # noqa: S105 - likewise
FIRST_PASSWORD = "Chushi-2026-songhua"  # noqa: S105 - likewise
PERSON_PASSWORD = "Geren-2026-songhua"  # noqa: S105 - likewise
STAFF_PASSWORD = "Gongzuo-2026-songhua"  # noqa: S105 - likewise


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A person; `key` is the account name too. `case`: what his mandates make of him.

    The days are those printed on his document, both included; `id_valid_until` None: 长期.
    """

    key: str
    name: str
    id_number: str
    phone: str
    case: str
    id_valid_from: date = date(2020, 1, 1)
    id_valid_until: date | None = date(2040, 1, 1)


@dataclass(frozen=True, slots=True)
class DemoCompany:
    """A company; one without `account` is 待激活. Its phone is its representative's, unless it has none."""

    key: str
    name: str
    uscc: str
    type: EnterpriseType
    representative: str
    case: str
    account: str | None
    status: EnterpriseStatus = EnterpriseStatus.NORMAL
    has_phone: bool = True

    @property
    def phone(self) -> str | None:
        """The phone on record, to which alone its activation sends a code."""
        return person(self.representative).phone if self.has_phone else None


@dataclass(frozen=True, slots=True)
class DemoMandate:
    """Who may act for whom; the days count from the day of the start."""

    company: str
    person: str
    case: str
    manage_operators: bool = False
    manage_seals: bool = False
    department: str | None = None
    begins: timedelta = timedelta(days=-30)
    ends: timedelta = timedelta(days=335)

    @property
    def password(self) -> str:
        """What opens it."""
        return FIRST_PASSWORD if self.must_change else OPERATOR_PASSWORD

    @property
    def must_change(self) -> bool:
        """Whether its first use is still ahead."""
        return self.case == "first_use"


@dataclass(frozen=True, slots=True)
class DemoStaff:
    """Somebody who works at the console; `totp_secret` (base32) is what his authenticator app has."""

    account: str
    name: str
    role: StaffRole
    totp_secret: str
    case: str = "live"


# Each list begins with a live one that every portal knows.
PEOPLE = (
    DemoPerson("qianwb", "钱文博", "990100198609230174", "13800000002", "live"),
    DemoPerson("lisy", "李思远", "990100198806170318", "13800000004", "several"),
    DemoPerson("chuyun", "褚云", "990100199912010283", "13800000011", "none"),
    DemoPerson("sunyt", "孙雨桐", "99010019930105026X", "13800000003", "live"),
    DemoPerson("weidong", "卫东", "990100196808240333", "13800000012", "live"),
    DemoPerson("zhouqm", "周启明", "990100198107300195", "13800000005", "expired"),
    DemoPerson("wujing", "吴静", "990100199502110425", "13800000006", "future"),
    DemoPerson("zhaoxl", "赵晓岚", "990100197804120240", "13800000001", "representative"),
    DemoPerson("zhenghai", "郑海", "990100197009080139", "13800000007", "representative"),
    DemoPerson("wangrn", "王若楠", "990100197511260485", "13800000008", "representative"),
    DemoPerson("fengli", "冯立", "99010019690315015X", "13800000009", "representative"),
    DemoPerson("chenmo", "陈默", "990100197305190375", "13800000010", "representative"),
)

COMPANIES = (
    DemoCompany(
        "A",
        "松原示例科技有限公司",
        "91990100MA0TX00115",
        EnterpriseType.COMPANY,
        "zhaoxl",
        "live",
        "songyuan_tech",
    ),
    DemoCompany(
        "B",
        "长白示例贸易有限公司",
        "91990100MA0TX002XW",
        EnterpriseType.COMPANY,
        "zhenghai",
        "live",
        "changbai_trade",
    ),
    DemoCompany(
        "C",
        "江畔示例餐饮店",
        "92990100MA0TX0038R",
        EnterpriseType.SOLE_TRADER,
        "wangrn",
        "live",
        "jiangpan_food",
    ),
    DemoCompany(
        "D", "云杉示例建筑有限公司", "91990100MA0TX0046P", EnterpriseType.COMPANY, "fengli", "pending", None
    ),
    DemoCompany(
        "E",
        "白桦示例物流有限公司",
        "91990100MA0TX0054J",
        EnterpriseType.COMPANY,
        "chenmo",
        "revoked",
        "baihua_logistics",
        EnterpriseStatus.REVOKED,
    ),
    DemoCompany(
        "F",
        "北岭示例服务中心",
        "52990100MA0TX0062E",
        EnterpriseType.PRIVATE_NON_ENTERPRISE,
        "weidong",
        "deregistered",
        "beiling_center",
        EnterpriseStatus.DEREGISTERED,
    ),
    DemoCompany(
        "G",
        "晨雾示例咨询有限公司",
        "91990100MA0TX00809",
        EnterpriseType.COMPANY,
        "fengli",
        "no_phone",
        None,
        has_phone=False,
    ),
)

MANDATES = (
    DemoMandate("A", "qianwb", "live", manage_operators=True, manage_seals=True, department="人事部"),
    DemoMandate("A", "sunyt", "live", department="财务部"),
    DemoMandate("B", "lisy", "several", manage_operators=True),
    DemoMandate("C", "lisy", "several"),
    DemoMandate("A", "zhouqm", "expired", begins=timedelta(days=-395), ends=timedelta(days=-30)),
    DemoMandate("B", "wujing", "future", begins=timedelta(days=30), ends=timedelta(days=395)),
    DemoMandate("C", "weidong", "first_use"),
)

STAFF = (
    DemoStaff("linadmin", "林建国", StaffRole.ADMIN, "DEMOADMINSONGHUAJIANGTONGXINGYAN"),
    DemoStaff("hekefu", "何雨晴", StaffRole.SERVICE, "DEMOKEFUSONGHUAJIANGTONGXINGYANS"),
    DemoStaff("maozhuguan", "毛志远", StaffRole.SUPERVISOR, "DEMOZHUGUANSONGHUAJIANGTONGXINGY"),
    DemoStaff("xushenji", "许静", StaffRole.AUDITOR, "DEMOSHENJISONGHUAJIANGTONGXINGYA"),
)


def person(key: str) -> DemoPerson:
    """The person with this key."""
    return next(found for found in PEOPLE if found.key == key)


def company(key: str) -> DemoCompany:
    """The company with this key."""
    return next(found for found in COMPANIES if found.key == key)
