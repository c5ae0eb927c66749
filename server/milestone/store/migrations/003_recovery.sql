-- Recovery: leases on a clock that does not jump, what earlier attempts left behind, when a task may be tried again,
-- who coordinates, what a person steers, what was spent. Clock values are milliseconds of an `era` (see store/engine.py).
ALTER TABLE claims ADD COLUMN era TEXT NOT NULL DEFAULT '';
ALTER TABLE claims ADD COLUMN lease_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE claims ADD COLUMN deadline BIGINT NOT NULL DEFAULT 0;
ALTER TABLE claims ADD COLUMN base_commit TEXT NOT NULL DEFAULT '';

ALTER TABLE tasks ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN not_before BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN era TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN rollbacks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN left_behind TEXT NOT NULL DEFAULT '{}';
UPDATE tasks SET failures = attempts;

ALTER TABLE sessions ADD COLUMN coordinator TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN server TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN era TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN lease_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN seen_at TEXT NOT NULL DEFAULT '';

-- `steering`: empty, paused or stopped, by a person. `parked_until` (for display) and its clock: a usage limit.
ALTER TABLE milestones ADD COLUMN steering TEXT NOT NULL DEFAULT '';
ALTER TABLE milestones ADD COLUMN parked_until TEXT NOT NULL DEFAULT '';
ALTER TABLE milestones ADD COLUMN parked_clock BIGINT NOT NULL DEFAULT 0;
ALTER TABLE milestones ADD COLUMN parked_era TEXT NOT NULL DEFAULT '';
ALTER TABLE milestones ADD COLUMN parked_why TEXT NOT NULL DEFAULT '';
CREATE TABLE parkings (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    from_at TEXT NOT NULL,
    until_at TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, from_at),
    FOREIGN KEY (project_id, milestone_id) REFERENCES milestones (project_id, milestone_id)
);

-- `trees`: what was captured of Git, as a list of {repository, path, ref, …}.
ALTER TABLE agent_checkpoints ADD COLUMN milestone_id TEXT NOT NULL DEFAULT '';
ALTER TABLE agent_checkpoints ADD COLUMN trees TEXT NOT NULL DEFAULT '[]';
CREATE INDEX agent_checkpoints_milestone ON agent_checkpoints (project_id, milestone_id, position);
-- What a rollback of a scope has to look at: the versions saved after a position, and no others.
CREATE INDEX agent_state_position ON agent_state (project_id, milestone_id, position);

-- A recipient instance is one run of an agent: a coordinator that is taken up by another host session is a new one.
ALTER TABLE message_receipts ADD COLUMN read_position BIGINT NOT NULL DEFAULT 0;
ALTER TABLE message_receipts ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
CREATE INDEX message_receipts_undelivered ON message_receipts (project_id, agent_id, position) WHERE delivered_at = '' AND withdrawn = 0;

-- What an agent has used so far; zero tokens where its host does not tell.
CREATE TABLE spend (
    project_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    turns BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    cursor TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (project_id, agent_id),
    FOREIGN KEY (project_id, agent_id) REFERENCES agent_registry (project_id, agent_id)
);
CREATE INDEX spend_task ON spend (project_id, milestone_id, task_id);
