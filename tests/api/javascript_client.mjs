// Drives a running server with Camunda's published JavaScript client, which checks every answer against its schemas.
// Arguments: the server's address, a username, a password. Prints what it saw as JSON.
import createCamundaClient from '@camunda8/orchestration-cluster-api';

const [address, username, password] = process.argv.slice(2);
const client = createCamundaClient({
  config: {
    CAMUNDA_REST_ADDRESS: address,
    CAMUNDA_AUTH_STRATEGY: 'BASIC',
    CAMUNDA_BASIC_AUTH_USERNAME: username,
    CAMUNDA_BASIC_AUTH_PASSWORD: password,
    CAMUNDA_SDK_VALIDATION: 'req:strict,res:strict',
  },
});
const atOnce = { consistency: { waitUpToMs: 0 } };

const diagram = `<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="definitions" targetNamespace="tests">
  <bpmn:process id="delivery" isExecutable="true">
    <bpmn:startEvent id="start"/>
    <bpmn:serviceTask id="pack">
      <bpmn:extensionElements><zeebe:taskDefinition type="pack"/></bpmn:extensionElements>
    </bpmn:serviceTask>
    <bpmn:userTask id="sign"><bpmn:extensionElements><zeebe:userTask/></bpmn:extensionElements></bpmn:userTask>
    <bpmn:endEvent id="end"/>
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="pack"/>
    <bpmn:sequenceFlow id="f2" sourceRef="pack" targetRef="sign"/>
    <bpmn:sequenceFlow id="f3" sourceRef="sign" targetRef="end"/>
  </bpmn:process>
</bpmn:definitions>`;

const topology = await client.getTopology();
await client.getAuthentication();
await client.getLicense();
await client.createDeployment({ resources: [new File([diagram], 'delivery.bpmn')] });
await client.searchProcessDefinitions({}, atOnce);
const { processInstanceKey } = await client.createProcessInstance({
  processDefinitionId: 'delivery',
  variables: { order: 'A-1' },
});

const { jobs } = await client.activateJobs({ type: 'pack', timeout: 60000, maxJobsToActivate: 1, worker: 'test' });
await client.failJob({ jobKey: jobs[0].jobKey, retries: 0, errorMessage: 'no box' });
const incidents = await client.searchIncidents({ filter: { processInstanceKey } }, atOnce);
await client.resolveIncident({ incidentKey: incidents.items[0].incidentKey });
const again = await client.activateJobs({ type: 'pack', timeout: 60000, maxJobsToActivate: 1, worker: 'test', requestTimeout: -1 });
await client.completeJob({ jobKey: again.jobs[0].jobKey, variables: { boxes: 2 } });
const packed = await client.searchJobs({ filter: { processInstanceKey } }, atOnce);

const tasks = await client.searchUserTasks({ filter: { processInstanceKey, state: 'CREATED' } }, atOnce);
const { userTaskKey } = tasks.items[0];
await client.assignUserTask({ userTaskKey, assignee: username });
await client.getUserTask({ userTaskKey }, atOnce);
const seen = await client.searchUserTaskVariables({ userTaskKey, sort: [{ field: 'name' }] }, atOnce);
await client.completeUserTask({ userTaskKey, variables: { signed: true } });
const instance = await client.getProcessInstance({ processInstanceKey }, atOnce);
const visits = await client.searchElementInstances(
  { filter: { processInstanceKey }, sort: [{ field: 'elementInstanceKey' }] },
  atOnce,
);

await client.publishMessage({ name: 'hello', correlationKey: '1', timeToLive: 0, variables: {} });
await client.broadcastSignal({ signalName: 'morning', variables: {} });
await client.searchUsers({}, atOnce);
await client.searchGroups({}, atOnce);
const refusal = await client.getUserTask({ userTaskKey: '1' }, atOnce).catch((error) => error);

console.log(
  JSON.stringify({
    version: topology.gatewayVersion,
    incident: incidents.items[0].errorMessage,
    job: packed.items[0].state,
    seen: seen.items.map((variable) => [variable.name, variable.value]),
    state: instance.state,
    visits: visits.items.map((visit) => visit.elementId),
    refusal: refusal.status,
  }),
);
