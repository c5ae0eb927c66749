-- The ledger of coordination. One dialect for both engines: text, bigint, no defaults that differ.
-- `position` orders everything that happened in a project; it is taken under the row lock of `projects`.
CREATE TABLE projects (
    project_id TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    created_at TEXT NOT NULL
);

CREATE TABLE milestones (
    project_id TEXT NOT NULL REFERENCES projects (project_id),
    milestone_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    status TEXT NOT NULL,
    duration TEXT NOT NULL,
    sections TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (project_id, milestone_id)
);

CREATE TABLE phases (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    status TEXT NOT NULL,
    started_at TEXT NOT NULL,
    completed_at TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, phase),
    FOREIGN KEY (project_id, milestone_id) REFERENCES milestones (project_id, milestone_id)
);

CREATE TABLE sessions (
    project_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    PRIMARY KEY (project_id, session_id),
    FOREIGN KEY (project_id, milestone_id) REFERENCES milestones (project_id, milestone_id)
);
CREATE UNIQUE INDEX sessions_open ON sessions (project_id, milestone_id, mode) WHERE status = 'open';

CREATE TABLE agent_registry (
    project_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    agent_type TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    capabilities TEXT NOT NULL,
    status TEXT NOT NULL,
    detail TEXT NOT NULL,
    verified INTEGER NOT NULL,
    token_digest TEXT NOT NULL,
    host_session TEXT NOT NULL,
    host_agent TEXT NOT NULL,
    registered_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    PRIMARY KEY (project_id, agent_id),
    FOREIGN KEY (project_id, session_id) REFERENCES sessions (project_id, session_id)
);
CREATE INDEX agent_registry_session ON agent_registry (project_id, session_id);
CREATE INDEX agent_registry_type ON agent_registry (project_id, milestone_id, agent_type);
CREATE UNIQUE INDEX agent_registry_host ON agent_registry (project_id, host_session, host_agent) WHERE host_session <> '';
CREATE INDEX agent_registry_token ON agent_registry (project_id, token_digest) WHERE token_digest <> '';

CREATE TABLE agent_state (
    project_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    key TEXT NOT NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    milestone_id TEXT NOT NULL,
    value TEXT NOT NULL,
    present INTEGER NOT NULL,
    saved_at TEXT NOT NULL,
    PRIMARY KEY (project_id, agent_id, key, version),
    FOREIGN KEY (project_id, agent_id) REFERENCES agent_registry (project_id, agent_id)
);
CREATE INDEX agent_state_key ON agent_state (project_id, milestone_id, key, position);

CREATE TABLE agent_messages (
    project_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    message_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    from_agent TEXT NOT NULL,
    recipient TEXT NOT NULL,
    type TEXT NOT NULL,
    payload TEXT NOT NULL,
    reply_to TEXT NOT NULL,
    sent_at TEXT NOT NULL,
    PRIMARY KEY (project_id, message_id),
    FOREIGN KEY (project_id, from_agent) REFERENCES agent_registry (project_id, agent_id)
);
CREATE INDEX agent_messages_recipient ON agent_messages (project_id, milestone_id, recipient);

CREATE TABLE message_receipts (
    project_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    delivered_at TEXT NOT NULL,
    read_at TEXT NOT NULL,
    acked_at TEXT NOT NULL,
    PRIMARY KEY (project_id, agent_id, message_id),
    FOREIGN KEY (project_id, message_id) REFERENCES agent_messages (project_id, message_id),
    FOREIGN KEY (project_id, agent_id) REFERENCES agent_registry (project_id, agent_id)
);
CREATE INDEX message_receipts_unread ON message_receipts (project_id, agent_id, position) WHERE read_at = '';

CREATE TABLE agent_checkpoints (
    project_id TEXT NOT NULL,
    checkpoint_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    label TEXT NOT NULL,
    position BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (project_id, checkpoint_id)
);

CREATE TABLE tasks (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    mode TEXT NOT NULL,
    agent_type TEXT NOT NULL,
    title TEXT NOT NULL,
    phase TEXT NOT NULL,
    weight INTEGER NOT NULL,
    produces TEXT NOT NULL,
    critical INTEGER NOT NULL,
    time_limit INTEGER NOT NULL,
    status TEXT NOT NULL,
    detail TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    completed_at TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, task_id),
    FOREIGN KEY (project_id, milestone_id) REFERENCES milestones (project_id, milestone_id)
);

-- A task waits for the task that produces the key it needs.
CREATE TABLE task_dependencies (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    needs_task TEXT NOT NULL,
    needs_key TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, task_id, needs_key),
    FOREIGN KEY (project_id, milestone_id, task_id) REFERENCES tasks (project_id, milestone_id, task_id),
    FOREIGN KEY (project_id, milestone_id, needs_task) REFERENCES tasks (project_id, milestone_id, task_id)
);

CREATE TABLE claims (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    agent_id TEXT NOT NULL,
    server TEXT NOT NULL,
    handed_out_at TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reminders INTEGER NOT NULL,
    PRIMARY KEY (project_id, milestone_id, task_id, attempt),
    FOREIGN KEY (project_id, milestone_id, task_id) REFERENCES tasks (project_id, milestone_id, task_id),
    FOREIGN KEY (project_id, agent_id) REFERENCES agent_registry (project_id, agent_id)
);
CREATE UNIQUE INDEX claims_open ON claims (project_id, milestone_id, task_id) WHERE ended_at = '';
CREATE INDEX claims_agent ON claims (project_id, agent_id);

CREATE TABLE evidence (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    detail TEXT NOT NULL,
    accepted_at TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, task_id, kind),
    FOREIGN KEY (project_id, milestone_id, task_id) REFERENCES tasks (project_id, milestone_id, task_id)
);

-- Append-only. `topic` is what a waiting caller listens for.
CREATE TABLE events (
    project_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    milestone_id TEXT NOT NULL,
    at TEXT NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,
    actor TEXT NOT NULL,
    topic TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (project_id, position),
    FOREIGN KEY (project_id) REFERENCES projects (project_id)
);
CREATE INDEX events_milestone ON events (project_id, milestone_id, position);

CREATE TABLE requests (
    project_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    arguments_digest TEXT NOT NULL,
    answer TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (project_id, request_id)
);
