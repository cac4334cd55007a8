"""The engine's tables: what is deployed, what runs, what is waited for, what happened, and what is done to many."""

from engine.models.batches import BatchItem, BatchItemState, BatchOperation, BatchState
from engine.models.calendar import CalendarSetting
from engine.models.definitions import (
    DecisionDefinition,
    DecisionRequirements,
    Deployment,
    FormDefinition,
    ProcessDefinition,
)
from engine.models.duties import ClusterDuty
from engine.models.history import Audit, DecisionEvaluation
from engine.models.instances import (
    ElementInstance,
    ElementState,
    InstanceState,
    ProcessInstance,
    ProcessState,
    Variable,
)
from engine.models.loops import LoopItems
from engine.models.waits import (
    CLOSED_TASKS,
    Incident,
    IncidentState,
    Job,
    JobKind,
    JobState,
    Message,
    MessageCorrelation,
    MessageSubscription,
    SignalSubscription,
    Timer,
    UserTask,
    UserTaskGroup,
    UserTaskState,
    UserTaskUser,
)

__all__ = [
    "CLOSED_TASKS",
    "Audit",
    "BatchItem",
    "BatchItemState",
    "BatchOperation",
    "BatchState",
    "CalendarSetting",
    "ClusterDuty",
    "DecisionDefinition",
    "DecisionEvaluation",
    "DecisionRequirements",
    "Deployment",
    "ElementInstance",
    "ElementState",
    "FormDefinition",
    "Incident",
    "IncidentState",
    "InstanceState",
    "Job",
    "JobKind",
    "JobState",
    "LoopItems",
    "Message",
    "MessageCorrelation",
    "MessageSubscription",
    "ProcessDefinition",
    "ProcessInstance",
    "ProcessState",
    "SignalSubscription",
    "Timer",
    "UserTask",
    "UserTaskGroup",
    "UserTaskState",
    "UserTaskUser",
    "Variable",
]
