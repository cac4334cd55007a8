// A new process to begin with: one pool with its lanes and a start event in the first.

const LANE_HEIGHT = 160;
const POOL = { x: 160, y: 80, width: 1200 };
const LABEL_STRIP = 30;

export interface NewProcess {
  id: string;
  name: string;
  lanes: string[];
}

function escapeXml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

/** BPMN XML of an executable process in Camunda 8's dialect. */
export function emptyDiagram({ id, name, lanes }: NewProcess): string {
  const [processId, processName] = [escapeXml(id), escapeXml(name)];
  const laneXml = lanes.map(
    (lane, index) => `
      <bpmn:lane id="Lane_${index + 1}" name="${escapeXml(lane)}">${index === 0 ? '<bpmn:flowNodeRef>StartEvent_1</bpmn:flowNodeRef>' : ''}</bpmn:lane>`,
  );
  const laneShapes = lanes.map(
    (_, index) => `
      <bpmndi:BPMNShape id="Lane_${index + 1}_di" bpmnElement="Lane_${index + 1}" isHorizontal="true">
        <dc:Bounds x="${POOL.x + LABEL_STRIP}" y="${POOL.y + index * LANE_HEIGHT}" width="${POOL.width - LABEL_STRIP}" height="${LANE_HEIGHT}" />
      </bpmndi:BPMNShape>`,
  );
  const poolHeight = LANE_HEIGHT * Math.max(lanes.length, 1);
  return `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"
  xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
  xmlns:modeler="http://camunda.org/schema/modeler/1.0" id="Definitions_1" targetNamespace="http://bpmn.io/schema/bpmn"
  modeler:executionPlatform="Camunda Cloud" modeler:executionPlatformVersion="8.9.0">
  <bpmn:collaboration id="Collaboration_1">
    <bpmn:participant id="Participant_1" name="${processName}" processRef="${processId}" />
  </bpmn:collaboration>
  <bpmn:process id="${processId}" name="${processName}" isExecutable="true">
    <bpmn:laneSet id="LaneSet_1">${laneXml.join('')}
    </bpmn:laneSet>
    <bpmn:startEvent id="StartEvent_1" />
  </bpmn:process>
  <bpmndi:BPMNDiagram id="BPMNDiagram_1">
    <bpmndi:BPMNPlane id="BPMNPlane_1" bpmnElement="Collaboration_1">
      <bpmndi:BPMNShape id="Participant_1_di" bpmnElement="Participant_1" isHorizontal="true">
        <dc:Bounds x="${POOL.x}" y="${POOL.y}" width="${POOL.width}" height="${poolHeight}" />
      </bpmndi:BPMNShape>${laneShapes.join('')}
      <bpmndi:BPMNShape id="StartEvent_1_di" bpmnElement="StartEvent_1">
        <dc:Bounds x="${POOL.x + 92}" y="${POOL.y + LANE_HEIGHT / 2 - 18}" width="36" height="36" />
      </bpmndi:BPMNShape>
    </bpmndi:BPMNPlane>
  </bpmndi:BPMNDiagram>
</bpmn:definitions>
`;
}
