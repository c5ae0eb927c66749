-- name: add_task
INSERT INTO tasks (project_id, milestone_id, task_id, ordinal, mode, agent_type, title, phase, weight, produces, critical, time_limit,
    status, detail, attempts, completed_at)
VALUES (:project_id, :milestone_id, :task_id, :ordinal, :mode, :agent_type, :title, :phase, :weight, :produces, :critical, :time_limit,
    'pending', '', 0, '')
ON CONFLICT (project_id, milestone_id, task_id) DO NOTHING;

-- name: add_dependency
INSERT INTO task_dependencies (project_id, milestone_id, task_id, needs_task, needs_key)
VALUES (:project_id, :milestone_id, :task_id, :needs_task, :needs_key)
ON CONFLICT (project_id, milestone_id, task_id, needs_key) DO NOTHING;

-- name: task
SELECT * FROM tasks WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id;

-- name: tasks_of
-- Each task with its open claim, and how many of its needs are not met yet.
SELECT t.*, c.agent_id AS held_by, c.attempt, c.server, c.handed_out_at, c.started_at, a.seen_at,
       (SELECT count(*) FROM task_dependencies d JOIN tasks n
            ON n.project_id = d.project_id AND n.milestone_id = d.milestone_id AND n.task_id = d.needs_task
         WHERE d.project_id = t.project_id AND d.milestone_id = t.milestone_id AND d.task_id = t.task_id
           AND n.status NOT IN ('completed', 'skipped')) AS unmet
  FROM tasks t
  LEFT JOIN claims c ON c.project_id = t.project_id AND c.milestone_id = t.milestone_id AND c.task_id = t.task_id AND c.ended_at = ''
  LEFT JOIN agent_registry a ON a.project_id = c.project_id AND a.agent_id = c.agent_id
 WHERE t.project_id = :project_id AND t.milestone_id = :milestone_id AND (:mode = '' OR t.mode = :mode)
 ORDER BY t.ordinal, t.task_id;

-- name: needs_of
SELECT d.needs_key, e.agent_id FROM task_dependencies d
  LEFT JOIN evidence e ON e.project_id = d.project_id AND e.milestone_id = d.milestone_id AND e.task_id = d.needs_task AND e.kind = 'keys'
 WHERE d.project_id = :project_id AND d.milestone_id = :milestone_id AND d.task_id = :task_id ORDER BY d.needs_key;

-- name: set_task
UPDATE tasks SET status = :status, detail = :detail, completed_at = :completed_at
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id;

-- name: count_attempt
UPDATE tasks SET status = 'claimed', detail = '', attempts = attempts + 1
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id RETURNING attempts;

-- name: add_claim
INSERT INTO claims (project_id, milestone_id, task_id, attempt, agent_id, server, handed_out_at, started_at, ended_at, outcome, reminders)
VALUES (:project_id, :milestone_id, :task_id, :attempt, :agent_id, :server, :at, '', '', '', 0);

-- name: claim_of_agent
SELECT * FROM claims WHERE project_id = :project_id AND agent_id = :agent_id ORDER BY attempt DESC LIMIT 1;

-- name: start_claim
UPDATE claims SET started_at = :at, server = :server WHERE project_id = :project_id AND agent_id = :agent_id AND started_at = '' AND ended_at = '';

-- name: adopt_claim
-- The host may start our server anew while its agents go on; the claim follows to the process they now talk to.
UPDATE claims SET server = :server WHERE project_id = :project_id AND agent_id = :agent_id AND ended_at = '' AND server <> :server;

-- name: end_claim
UPDATE claims SET ended_at = :at, outcome = :outcome WHERE project_id = :project_id AND agent_id = :agent_id AND ended_at = '';

-- name: remind_claim
UPDATE claims SET reminders = reminders + 1 WHERE project_id = :project_id AND agent_id = :agent_id AND ended_at = '' RETURNING reminders;

-- name: add_evidence
INSERT INTO evidence (project_id, milestone_id, task_id, kind, agent_id, detail, accepted_at)
VALUES (:project_id, :milestone_id, :task_id, :kind, :agent_id, :detail, :at)
ON CONFLICT (project_id, milestone_id, task_id, kind) DO NOTHING;

-- name: evidence_of
SELECT * FROM evidence WHERE project_id = :project_id AND milestone_id = :milestone_id ORDER BY task_id, kind;
