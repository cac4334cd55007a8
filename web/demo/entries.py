"""What the demo's people write into forms: by the key of each field, else what suits its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tasks.forms import read
from tasks.forms.components import KEYED, MANY_OF, ONE_OF, TEXT, Component

#: The usual choice where a case's story makes no other; where there is no usual one, it is the first option.
CHOICES = {
    "abilityTest": "passed",
    "answerChannel": "phone",
    "callOutcome": "reached",
    "customerAnswer": "agree",
    "customerDecision": "agree",
    "customerSatisfied": "yes",
    "customerType": "returning",
    "departmentVerdict": "qualified",
    "diagnosisConsent": "agreed",
    "diagnosisOutcome": "done",
    "documentsDifference": "no",
    "employeeVerdict": "agree",
    "faultSystem": "found",
    "handoverMode": "normal",
    "inspectionResult": "passed",
    "leavingReason": "resignation",
    "objectionDecision": "settled",
    "partsGrade": "genuine",
    "partsSupply": "shop",
    "paymentMethod": "mobile",
    "promiseKept": "yes",
    "qualification": "qualified",
    "reminderResult": "continue",
    "repairAnomaly": "no",
    "repairCategory": "repair",
    "repairOutcome": "done",
    "requestKind": "none",
    "safetyRelated": "no",
    "settlementOutcome": "settled",
    "studyOutcome": "solved",
    "visitPurpose": "diagnosis",
    "yardOutcome": "accepted",
}

TEXTS = {
    "address": "深圳市龙岗区布吉街道 6 号",
    "answerText": "已电话向客户说明处理办法，客户表示认可",
    "anomalyDescription": "配件到货推迟半天",
    "bagNumber": "D-0417",
    "cabinetPlace": "二号柜第三层",
    "callNotes": "车辆使用正常，提醒按时保养",
    "consultationAnswer": "已说明保养项目与大致费用",
    "contractNumber": "HT-2025-031",
    "delayReason": "配件到货推迟",
    "departmentVerdictReason": "工作踏实，能独立完成作业",
    "discountRequest": "老客户，希望工时费打九折",
    "emergencyContact": "家属",
    "emergencyMeasure": "调用备件，安排加班",
    "examPlace": "二楼会议室",
    "exitPassNumber": "CC-0823",
    "idNumber": "44030019950101123X",
    "inspectionRemarks": "试车时仍有轻微异响，请复查",
    "inspectionSheetNumber": "JY-0619",
    "keyCabinetPlace": "A-12",
    "keyNumber": "12",
    "leavePassNumber": "CC-0824",
    "objectionDescription": "客户认为异响没有完全消除",
    "objectionSolution": "同意一周内免费复查",
    "offerRemark": "试用期三个月",
    "plannedTalk": "询问车辆使用情况，介绍下一次保养",
    "requestText": "希望提供上门取送车服务",
    "reworkInstruction": "由原班组返工，车间主管复核",
    "reworkRecord": "已按检验意见返工",
    "serviceInterval": "一万公里或六个月",
    "solution": "安排取送车服务，费用由本公司承担",
    "storageBox": "C-07",
    "supervisorReply": "同意工时费九折",
    "teamListener": "张刚",
    "terminationReason": "试用期间多次缺勤",
    "warrantyNumber": "ZB-0823",
    "workHistory": "汽修专业大专毕业，在汽修厂工作三年",
    "workshopListener": "黄伟",
    "workshopReceiver": "何勇",
}

NUMBERS = {
    "discountAmount": 120,
    "exitFee": 80,
    "extensionMonths": 2,
    "extraHours": 3,
    "foundHours": 3,
    "fuelLevel": 60,
    "idCopiesReceived": 2,
    "odometer": 48650,
    "permitCopiesReceived": 2,
    "photosReceived": 6,
    "testScore": 86,
}

ROWS = {
    "agreedItems": [{"item": "更换后制动片", "reason": "磨损到极限", "price": 420}],
    "foundItems": [{"item": "更换后制动片", "reason": "磨损到极限"}],
    "onBoardArticles": [{"article": "千斤顶", "quantity": 1}, {"article": "备胎", "quantity": 1}],
    "teamPlan": [{"team": "钣金班组", "work": "钣金修复"}, {"team": "喷漆班组", "work": "喷漆"}],
}

TEAMS = {"mechanical": "机电班组", "body": "钣金班组", "paint": "喷漆班组", "maintenance": "养护班组"}

#: How long after now a date or time in a form lies; without an entry it is now.
AHEAD = {
    "appointmentTime": timedelta(days=3),
    "birthDate": timedelta(days=-365 * 27),
    "contractUntil": timedelta(days=365 * 3),
    "documentsDueOn": timedelta(days=3),
    "examAt": timedelta(days=2),
    "expectedFinish": timedelta(hours=6),
    "lastWorkingDay": timedelta(days=14),
    "nextServiceDate": timedelta(days=180),
    "plannedContact": timedelta(days=4),
    "promisedTime": timedelta(days=2),
    "reportingDate": timedelta(days=5),
}

_ANY_TEXT = "已办理"


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who fills in a form at `now` (aware, in the company's zone), about a case with its own `values`."""

    values: Mapping[str, Any]
    now: datetime

    def fill(self, schema: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is entered; a field that has a value already is left as it is, unless the case says so."""
        entered: dict[str, Any] = {}
        for component in _inputs(read(schema)):
            name = str(component.steps[0])
            known = variables.get(name)
            if name not in self.values and component.type != "datetime" and known not in (None, "", [], False):
                if component.type not in ONE_OF:
                    continue
                # A choice belongs to this visit of the step, not to the one before.
                if name not in CHOICES:
                    continue
            entered[name] = self._entry(component, name)
        return entered

    def _entry(self, component: Component, name: str) -> Any:
        if name in self.values:
            return self.values[name]
        if component.repeats:
            return ROWS.get(name, [])
        if component.type in ONE_OF | MANY_OF:
            return self._choice(component, name)
        if component.type == "number":
            return NUMBERS.get(name, component.validate.get("min", 1))
        if component.type == "checkbox":
            return True
        if component.type == "datetime":
            return self._moment(component, name)
        return TEXTS.get(name, _ANY_TEXT if component.required or component.type in TEXT else "")

    def _choice(self, component: Component, name: str) -> Any:
        options = [option["value"] for option in component.properties.get("values", ())]
        if component.type in MANY_OF:
            return options if component.required else options[:2]
        usual = CHOICES.get(name)
        return usual if usual in options else options[0]

    def _moment(self, component: Component, name: str) -> str:
        moment = self.now + AHEAD.get(name, timedelta(0))
        match component.properties.get("subtype", "date"):
            case "date":
                return moment.date().isoformat()
            case "time":
                return moment.strftime("%H:%M")
        # To the quarter of an hour, as the form offers it.
        moment = moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
        zoned = component.properties.get("timeSerializingFormat") == "utc_offset"
        return moment.isoformat(timespec="minutes") if zoned else moment.strftime("%Y-%m-%dT%H:%M")


def _inputs(components: tuple[Component, ...]) -> list[Component]:
    """Return the fields and lists on the form's first level, groups opened."""
    found: list[Component] = []
    for component in components:
        if component.repeats or component.type in KEYED - {"expression", "filepicker"}:
            found.append(component)
        elif component.components:
            found.extend(_inputs(component.components))
    return [component for component in found if component.steps]
