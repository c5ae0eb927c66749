-- Execution: what proves a task, who decided what, which repositories take part, what the gates said, what is worth reusing.
ALTER TABLE milestones ADD COLUMN strategy TEXT NOT NULL DEFAULT 'adaptive';

ALTER TABLE tasks ADD COLUMN unmet INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN standing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN source TEXT NOT NULL DEFAULT 'playbook';
ALTER TABLE tasks ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN proof TEXT NOT NULL DEFAULT '[]';
ALTER TABLE tasks ADD COLUMN paths TEXT NOT NULL DEFAULT '[]';
ALTER TABLE tasks ADD COLUMN acceptance TEXT NOT NULL DEFAULT '[]';
ALTER TABLE tasks ADD COLUMN repository TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN next_role TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN last INTEGER NOT NULL DEFAULT 0;
ALTER TABLE claims ADD COLUMN patterns TEXT NOT NULL DEFAULT '[]';

-- A task may wait for several tasks that produce the same key, and for a task without any key of it.
CREATE TABLE waits (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    needs_task TEXT NOT NULL,
    needs_key TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, task_id, needs_task, needs_key),
    FOREIGN KEY (project_id, milestone_id, task_id) REFERENCES tasks (project_id, milestone_id, task_id),
    FOREIGN KEY (project_id, milestone_id, needs_task) REFERENCES tasks (project_id, milestone_id, task_id)
);
INSERT INTO waits (project_id, milestone_id, task_id, needs_task, needs_key)
SELECT project_id, milestone_id, task_id, needs_task, needs_key FROM task_dependencies;
DROP TABLE task_dependencies;
ALTER TABLE waits RENAME TO task_dependencies;
CREATE INDEX task_dependencies_needed ON task_dependencies (project_id, milestone_id, needs_task);

UPDATE tasks SET unmet = (
    SELECT count(*) FROM task_dependencies d JOIN tasks n
        ON n.project_id = d.project_id AND n.milestone_id = d.milestone_id AND n.task_id = d.needs_task
     WHERE d.project_id = tasks.project_id AND d.milestone_id = tasks.milestone_id AND d.task_id = tasks.task_id
       AND n.status NOT IN ('completed', 'skipped'));
CREATE INDEX tasks_ready ON tasks (project_id, milestone_id, mode, phase, standing, ordinal) WHERE unmet = 0 AND status IN ('pending', 'ready');
CREATE INDEX tasks_unfinished ON tasks (project_id, milestone_id, mode, standing, phase) WHERE status NOT IN ('completed', 'skipped');
CREATE INDEX tasks_order ON tasks (project_id, milestone_id, mode, ordinal);
CREATE INDEX tasks_status ON tasks (project_id, milestone_id, mode, status, ordinal);

CREATE TABLE decisions (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    what TEXT NOT NULL,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,
    places TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, decision_id),
    FOREIGN KEY (project_id, milestone_id) REFERENCES milestones (project_id, milestone_id)
);

CREATE TABLE task_decisions (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, task_id, decision_id),
    FOREIGN KEY (project_id, milestone_id, task_id) REFERENCES tasks (project_id, milestone_id, task_id),
    FOREIGN KEY (project_id, milestone_id, decision_id) REFERENCES decisions (project_id, milestone_id, decision_id)
);

-- The project's own repository has the empty name. `gates` are those that count: as committed at the base, or as a person accepted them.
CREATE TABLE repositories (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    branch TEXT NOT NULL,
    base_commit TEXT NOT NULL,
    gates TEXT NOT NULL,
    gates_from TEXT NOT NULL,
    pr_url TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, name),
    FOREIGN KEY (project_id, milestone_id) REFERENCES milestones (project_id, milestone_id)
);

CREATE TABLE gate_runs (
    project_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    trial INTEGER NOT NULL,
    server TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    status TEXT NOT NULL,
    results TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    PRIMARY KEY (project_id, run_id),
    FOREIGN KEY (project_id, milestone_id, task_id) REFERENCES tasks (project_id, milestone_id, task_id)
);
CREATE INDEX gate_runs_task ON gate_runs (project_id, milestone_id, task_id, started_at);

CREATE TABLE patterns (
    project_id TEXT NOT NULL,
    pattern_id TEXT NOT NULL,
    category TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    use_when TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    uses INTEGER NOT NULL,
    successes INTEGER NOT NULL,
    saved_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (project_id, pattern_id)
);
CREATE INDEX patterns_fresh ON patterns (project_id, category, expires_at);
CREATE UNIQUE INDEX patterns_name ON patterns (project_id, category, name);
