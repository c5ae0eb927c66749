-- What people look at is found by an index, however much there is of it: the newest of each kind, and counts by state.
CREATE INDEX tasks_tally ON tasks (project_id, milestone_id, mode, standing, phase, status, unmet, weight);
CREATE INDEX claims_ended ON claims (project_id, milestone_id, ended_at, started_at);
CREATE INDEX claims_handed_out ON claims (project_id, milestone_id, handed_out_at);
CREATE INDEX evidence_kind ON evidence (project_id, milestone_id, kind, accepted_at);
CREATE INDEX evidence_newest ON evidence (project_id, milestone_id, accepted_at);
CREATE INDEX gate_runs_newest ON gate_runs (project_id, milestone_id, started_at);
CREATE INDEX gate_runs_running ON gate_runs (project_id, milestone_id, started_at) WHERE status = 'running';
CREATE INDEX agent_messages_newest ON agent_messages (project_id, milestone_id, position);
CREATE INDEX message_receipts_message ON message_receipts (project_id, message_id);
CREATE INDEX agent_registry_status ON agent_registry (project_id, session_id, status, registered_at, agent_id);
