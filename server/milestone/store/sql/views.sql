-- name: milestone_named
-- Without its sections, which grow with the plan.
SELECT project_id, milestone_id, name, description, status, duration, created_at, updated_at, position, strategy, steering,
    parked_until, parked_clock, parked_era, parked_why
  FROM milestones WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: newest_milestones
-- Those that have not ended come first.
SELECT project_id, milestone_id, name, description, status, duration, created_at, updated_at, position, strategy, steering,
    parked_until, parked_clock, parked_era, parked_why
  FROM milestones WHERE project_id = :project_id
 ORDER BY CASE WHEN status IN ('completed', 'cancelled') THEN 1 ELSE 0 END, created_at DESC, milestone_id DESC LIMIT :limit;

-- name: front
-- The first tasks of a status, each with who holds it.
SELECT t.*, c.agent_id AS held_by FROM tasks t
  LEFT JOIN claims c ON c.project_id = t.project_id AND c.milestone_id = t.milestone_id AND c.task_id = t.task_id AND c.ended_at = ''
 WHERE t.project_id = :project_id AND t.milestone_id = :milestone_id AND t.mode = :mode AND t.status = :status
 ORDER BY t.ordinal LIMIT :limit;

-- name: live_agents
-- Agents of a session that have not ended, each with its open claim and what it has used.
SELECT a.agent_id, a.agent_type, a.status, a.registered_at, a.seen_at, c.task_id, c.started_at, c.era, c.lease_until, s.turns, s.tokens
  FROM (SELECT * FROM agent_registry WHERE project_id = :project_id AND session_id = :session_id AND status IN ('active', 'waiting')
         ORDER BY status, registered_at, agent_id LIMIT :limit) a
  LEFT JOIN claims c ON c.project_id = a.project_id AND c.agent_id = a.agent_id AND c.ended_at = ''
  LEFT JOIN spend s ON s.project_id = a.project_id AND s.agent_id = a.agent_id
 ORDER BY a.status, a.registered_at, a.agent_id;

-- name: last_gates
SELECT task_id, status, ended_at FROM gate_runs
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND trial = 0 AND status <> 'running'
 ORDER BY started_at DESC, run_id LIMIT :limit;

-- name: newest_moves
-- What happened to tasks and phases, without the keys that agents save, which are the many.
SELECT position, at, event, subject, actor, detail FROM events
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND event <> 'state_saved' AND event <> 'state_restored'
 ORDER BY position DESC LIMIT :limit;

-- name: events_before
SELECT position, at, event, subject, actor, detail FROM events
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND position < :before ORDER BY position DESC LIMIT :limit;

-- name: count_tasks
SELECT count(*) AS n FROM tasks
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode
   AND (:status = '' OR :status = CASE WHEN status = 'pending' AND unmet = 0 THEN 'ready' ELSE status END);

-- name: task_page
-- A task that waits for nothing counts as ready, as people read it.
SELECT t.*, c.agent_id AS held_by
  FROM (SELECT * FROM tasks WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode
          AND (:status = '' OR :status = CASE WHEN status = 'pending' AND unmet = 0 THEN 'ready' ELSE status END)
         ORDER BY ordinal LIMIT :limit OFFSET :offset) t
  LEFT JOIN claims c ON c.project_id = t.project_id AND c.milestone_id = t.milestone_id AND c.task_id = t.task_id AND c.ended_at = ''
 ORDER BY t.ordinal;

-- name: needs_of_page
SELECT d.task_id, d.needs_task
  FROM (SELECT project_id, milestone_id, task_id FROM tasks
         WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode
          AND (:status = '' OR :status = CASE WHEN status = 'pending' AND unmet = 0 THEN 'ready' ELSE status END)
         ORDER BY ordinal LIMIT :limit OFFSET :offset) t
  JOIN task_dependencies d ON d.project_id = t.project_id AND d.milestone_id = t.milestone_id AND d.task_id = t.task_id
 GROUP BY d.task_id, d.needs_task ORDER BY d.task_id, d.needs_task;

-- name: proofs_of_page
SELECT e.task_id, e.kind
  FROM (SELECT project_id, milestone_id, task_id FROM tasks
         WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode
          AND (:status = '' OR :status = CASE WHEN status = 'pending' AND unmet = 0 THEN 'ready' ELSE status END)
         ORDER BY ordinal LIMIT :limit OFFSET :offset) t
  JOIN evidence e ON e.project_id = t.project_id AND e.milestone_id = t.milestone_id AND e.task_id = t.task_id
 ORDER BY e.task_id, e.kind;

-- name: graph_open
-- The first tasks of a status, once for each task they need.
SELECT t.task_id, t.title, t.phase, t.status, t.unmet, t.ordinal, d.needs_task
  FROM (SELECT * FROM tasks WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode AND status = :status
         ORDER BY ordinal LIMIT :limit) t
  LEFT JOIN task_dependencies d ON d.project_id = t.project_id AND d.milestone_id = t.milestone_id AND d.task_id = t.task_id
 ORDER BY t.ordinal, d.needs_task;

-- name: graph_ended
-- The same for tasks that have ended: the last of them.
SELECT t.task_id, t.title, t.phase, t.status, t.unmet, t.ordinal, d.needs_task
  FROM (SELECT * FROM tasks WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode AND status = :status
         ORDER BY ordinal DESC LIMIT :limit) t
  LEFT JOIN task_dependencies d ON d.project_id = t.project_id AND d.milestone_id = t.milestone_id AND d.task_id = t.task_id
 ORDER BY t.ordinal, d.needs_task;

-- name: attempts
-- The attempts that were handed out last.
SELECT c.agent_id, a.agent_type, c.task_id, c.attempt, t.phase, c.handed_out_at, c.started_at, c.ended_at, c.outcome
  FROM (SELECT * FROM claims WHERE project_id = :project_id AND milestone_id = :milestone_id
         ORDER BY handed_out_at DESC, task_id LIMIT :limit) c
  JOIN tasks t ON t.project_id = c.project_id AND t.milestone_id = c.milestone_id AND t.task_id = c.task_id
  JOIN agent_registry a ON a.project_id = c.project_id AND a.agent_id = c.agent_id
 ORDER BY c.handed_out_at, c.task_id, c.attempt;

-- name: count_attempts
SELECT count(*) AS n FROM claims WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: proven_between
SELECT count(*) AS n, min(completed_at) AS first, max(completed_at) AS last FROM tasks
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = 'execution' AND standing = 0 AND status = 'completed';

-- name: proven_by
-- How much weight was proven in each span of time: a time as text, cut to `size` characters, names a span.
SELECT p.phase, p.span, max(p.completed_at) AS at, sum(p.weight) AS weight
  FROM (SELECT phase, weight, completed_at, substr(completed_at, 1, :size) AS span FROM tasks
         WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = 'execution' AND standing = 0 AND status = 'completed') p
 GROUP BY p.phase, p.span ORDER BY p.span, p.phase;

-- name: message_page
SELECT m.position, m.message_id, m.from_agent, m.recipient, m.type, m.payload, m.sent_at,
       count(r.agent_id) AS queued,
       sum(CASE WHEN r.delivered_at <> '' THEN 1 ELSE 0 END) AS delivered,
       sum(CASE WHEN r.read_at <> '' THEN 1 ELSE 0 END) AS seen,
       sum(CASE WHEN r.acked_at <> '' THEN 1 ELSE 0 END) AS acknowledged
  FROM (SELECT * FROM agent_messages WHERE project_id = :project_id AND milestone_id = :milestone_id
         ORDER BY position DESC LIMIT :limit OFFSET :offset) m
  LEFT JOIN message_receipts r ON r.project_id = m.project_id AND r.message_id = m.message_id AND r.withdrawn = 0
 GROUP BY m.position, m.message_id, m.from_agent, m.recipient, m.type, m.payload, m.sent_at ORDER BY m.position DESC;

-- name: count_messages
SELECT count(*) AS n FROM agent_messages WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: evidence_page
SELECT task_id, kind, agent_id, detail, accepted_at FROM evidence WHERE project_id = :project_id AND milestone_id = :milestone_id
 ORDER BY accepted_at DESC, task_id, kind LIMIT :limit OFFSET :offset;

-- name: count_evidence
SELECT count(*) AS n FROM evidence WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: gate_page
SELECT run_id, task_id, status, commit_id, started_at, ended_at, results FROM gate_runs
 WHERE project_id = :project_id AND milestone_id = :milestone_id ORDER BY started_at DESC, run_id LIMIT :limit OFFSET :offset;

-- name: count_gates
SELECT count(*) AS n FROM gate_runs WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: serving
-- Which tasks serve which decision; the table knows no order but its key.
SELECT decision_id, task_id FROM task_decisions WHERE project_id = :project_id AND milestone_id = :milestone_id
 ORDER BY task_id, decision_id LIMIT :limit;
