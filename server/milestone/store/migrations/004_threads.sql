-- Threads of LangGraph graphs: their checkpoints, the values of their channels by version, and what tasks wrote since.
-- A checkpoint names its values by version, so a channel that did not change is not written again. What is opaque to us
-- (`head`, `metadata`, `value`) is text: how it was serialized, a space, base64. Nothing refers to a checkpoint: what a
-- task wrote may arrive before the checkpoint it belongs to.
CREATE TABLE thread_checkpoints (
    project_id TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    namespace TEXT NOT NULL,
    checkpoint_id TEXT NOT NULL,
    parent_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    head TEXT NOT NULL,
    metadata TEXT NOT NULL,
    PRIMARY KEY (project_id, thread_id, namespace, checkpoint_id)
);
CREATE INDEX thread_checkpoints_run ON thread_checkpoints (project_id, run_id) WHERE run_id <> '';

CREATE TABLE thread_values (
    project_id TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, thread_id, namespace, name)
);

CREATE TABLE thread_writes (
    project_id TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    namespace TEXT NOT NULL,
    checkpoint_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    task_path TEXT NOT NULL,
    channel TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project_id, thread_id, namespace, checkpoint_id, task_id, ordinal)
);
