"""Our task specs: one module per kind of BPMN element."""
