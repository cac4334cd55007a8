"""What people usually enter in the personnel forms, by form id; a test names only what matters to it.

The dates tell one story: applied on Monday 2025-03-03, tested a week later, contract on Monday 2025-03-17.
"""

from __future__ import annotations

from typing import Any

ENTRIES: dict[str, dict[str, Any]] = {
    "job-application": {
        "applicantName": "赵小明",
        "phone": "13900000001",
        "residence": "local",
        "education": "大专",
        "department": "车间",
        "position": "机修工",
        "registeredOn": "2025-03-03",
    },
    "exam-notice": {
        "examAt": "2025-03-10T09:00+08:00",
        "examPlace": "二楼会议室",
        "examNoticeChannel": "phone",
        "examNoticeSentOn": "2025-03-04",
    },
    "qualification-check": {"qualification": "qualified"},
    "ability-test": {"testedOn": "2025-03-10", "abilityTest": "passed", "testScore": 85},
    "rejection-notice": {"rejectionChannel": "phone", "rejectedOn": "2025-03-11"},
    "offer-letter": {"offerSentOn": "2025-03-12", "reportingDate": "2025-03-17"},
    "offer-supervision": {"offerSupervision": "今天发出"},
    "report-for-duty": {
        "reportedOn": "2025-03-17",
        "idNumber": "440301199001011234",
        "address": "深圳市罗湖区",
        "emergencyContact": "赵大明",
        "emergencyPhone": "13900000002",
        "workHistory": "三年机修",
    },
    "no-show-decision": {"keepOffer": "keep", "reportingDate": "2025-03-24", "noShowRemark": "家中有事"},
    "document-checklist": {
        "photosReceived": 3,
        "idCopiesReceived": 1,
        "diplomaReceived": True,
        "titleCertificateReceived": False,
    },
    "missing-documents": {"documentsDueOn": "2025-03-19", "requestChannel": "oral"},
    "labour-contract": {
        "contractNumber": "HT-2025-07",
        "signedOn": "2025-03-17",
        "contractFrom": "2025-03-17",
        "contractUntil": "2028-03-16",
        "contractSigned": True,
    },
    "early-termination": {
        "terminationSide": "employee",
        "terminationReason": "另谋发展",
        "terminationRequestedOn": "2025-04-10",
    },
    "department-verdict": {"departmentVerdict": "qualified", "departmentVerdictReason": "技术扎实"},
    "employee-verdict": {"employeeVerdict": "agree"},
    "verdict-supervision": {"verdictSupervision": "请今天交意见"},
    "extension-approval": {"extensionApproved": True, "extensionMonths": 2, "extensionReason": "病假较长"},
    "termination-notice": {
        "terminatedOn": "2025-06-17",
        "lastWorkingDay": "2025-06-20",
        "terminationNotice": "试用期考核不合格",
    },
    "exit-request": {
        "employeeName": "钱大海",
        "department": "车间",
        "leavingReason": "resignation",
        "lastWorkingDay": "2025-03-07",
    },
    "exit-notice": {"issuedOn": "2025-03-03", "handoverMode": "normal"},
    "department-handover": {"handoverComplete": True, "receiver": "接交人", "signedOn": "2025-03-04"},
    "handover-reminder": {"reminderResult": "continue", "reminderRemark": "已电话催促"},
    "unfinished-handover": {
        "exceptionKind": "order",
        "exceptionReason": "已被解职，不在公司",
        "exceptionSettlement": "由部门清点封存",
        "releasedOn": "2025-03-05",
    },
    "exit-release": {"signaturesChecked": True, "releasedOn": "2025-03-07"},
}
