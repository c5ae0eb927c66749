-- name: add_evidence
INSERT INTO evidence (project_id, milestone_id, task_id, kind, agent_id, detail, accepted_at)
VALUES (:project_id, :milestone_id, :task_id, :kind, :agent_id, :detail, :at)
ON CONFLICT (project_id, milestone_id, task_id, kind) DO NOTHING;

-- name: evidence_of
SELECT * FROM evidence WHERE project_id = :project_id AND milestone_id = :milestone_id AND (:task_id = '' OR task_id = :task_id)
 ORDER BY task_id, kind LIMIT :limit;

-- name: evidence_of_kind
SELECT * FROM evidence WHERE project_id = :project_id AND milestone_id = :milestone_id AND kind = :kind ORDER BY accepted_at, task_id LIMIT :limit;

-- name: clear_evidence
-- A task that is sent back has to be proven anew; the event log keeps what was there.
DELETE FROM evidence WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id;

-- name: add_gate_run
INSERT INTO gate_runs (project_id, run_id, milestone_id, task_id, attempt, trial, server, commit_id, status, results, started_at, ended_at)
VALUES (:project_id, :run_id, :milestone_id, :task_id, :attempt, :trial, :server, '', 'running', '[]', :at, '');

-- name: end_gate_run
UPDATE gate_runs SET status = :status, commit_id = :commit_id, results = :results, ended_at = :at
 WHERE project_id = :project_id AND run_id = :run_id AND status = 'running';

-- name: gate_runs_of
SELECT * FROM gate_runs WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id ORDER BY started_at DESC, run_id LIMIT :limit;

-- name: running_gates
SELECT * FROM gate_runs WHERE project_id = :project_id AND milestone_id = :milestone_id AND status = 'running' AND trial = 0 ORDER BY started_at;

-- name: add_decision
INSERT INTO decisions (project_id, milestone_id, decision_id, ordinal, kind, what, reason, source, places)
VALUES (:project_id, :milestone_id, :decision_id, :ordinal, :kind, :what, :reason, :source, :places)
ON CONFLICT (project_id, milestone_id, decision_id) DO NOTHING;

-- name: cite
INSERT INTO task_decisions (project_id, milestone_id, task_id, decision_id) VALUES (:project_id, :milestone_id, :task_id, :decision_id)
ON CONFLICT (project_id, milestone_id, task_id, decision_id) DO NOTHING;

-- name: decisions_of
SELECT * FROM decisions WHERE project_id = :project_id AND milestone_id = :milestone_id ORDER BY ordinal;

-- name: decisions_of_task
SELECT d.* FROM task_decisions c
  JOIN decisions d ON d.project_id = c.project_id AND d.milestone_id = c.milestone_id AND d.decision_id = c.decision_id
 WHERE c.project_id = :project_id AND c.milestone_id = :milestone_id AND c.task_id = :task_id ORDER BY d.ordinal LIMIT 10;

-- name: citations
SELECT c.task_id, c.decision_id, t.status FROM task_decisions c
  JOIN tasks t ON t.project_id = c.project_id AND t.milestone_id = c.milestone_id AND t.task_id = c.task_id
 WHERE c.project_id = :project_id AND c.milestone_id = :milestone_id ORDER BY c.decision_id, t.ordinal;

-- name: add_repository
INSERT INTO repositories (project_id, milestone_id, name, path, branch, base_commit, gates, gates_from, pr_url)
VALUES (:project_id, :milestone_id, :name, :path, :branch, :base_commit, :gates, :gates_from, '')
ON CONFLICT (project_id, milestone_id, name) DO NOTHING;

-- name: repositories_of
SELECT * FROM repositories WHERE project_id = :project_id AND milestone_id = :milestone_id ORDER BY name;

-- name: set_pr_url
UPDATE repositories SET pr_url = :pr_url WHERE project_id = :project_id AND milestone_id = :milestone_id AND name = :name;

-- name: set_gates
UPDATE repositories SET gates = :gates, gates_from = :gates_from WHERE project_id = :project_id AND milestone_id = :milestone_id AND name = :name;
