-- name: note_spend
-- volatile
-- What an agent has used so far, as its host's transcript says; it only grows.
INSERT INTO spend (project_id, agent_id, milestone_id, task_id, phase, turns, tokens, cursor, updated_at)
VALUES (:project_id, :agent_id, :milestone_id, :task_id, :phase, :turns, :tokens, '', :at)
ON CONFLICT (project_id, agent_id) DO UPDATE SET
    turns = CASE WHEN excluded.turns > spend.turns THEN excluded.turns ELSE spend.turns END,
    tokens = CASE WHEN excluded.tokens > spend.tokens THEN excluded.tokens ELSE spend.tokens END,
    updated_at = excluded.updated_at;

-- name: count_turn
-- volatile
-- Where the host tells nothing, each call of an agent counts as a turn.
INSERT INTO spend (project_id, agent_id, milestone_id, task_id, phase, turns, tokens, cursor, updated_at)
VALUES (:project_id, :agent_id, :milestone_id, :task_id, :phase, 1, 0, '', :at)
ON CONFLICT (project_id, agent_id) DO UPDATE SET turns = spend.turns + 1, updated_at = excluded.updated_at;

-- name: told_of_budget
-- volatile
UPDATE spend SET cursor = 'told' WHERE project_id = :project_id AND agent_id = :agent_id AND cursor = '';

-- name: spend_of_agent
SELECT * FROM spend WHERE project_id = :project_id AND agent_id = :agent_id;

-- name: spend_by_task
SELECT task_id, phase, sum(turns) AS turns, sum(tokens) AS tokens FROM spend
 WHERE project_id = :project_id AND milestone_id = :milestone_id GROUP BY task_id, phase ORDER BY task_id;

-- name: attempts_by_task
-- When each attempt began and ended: what minutes are counted from.
SELECT c.task_id, t.phase, c.started_at, c.ended_at FROM claims c
  JOIN tasks t ON t.project_id = c.project_id AND t.milestone_id = c.milestone_id AND t.task_id = c.task_id
 WHERE c.project_id = :project_id AND c.milestone_id = :milestone_id AND c.started_at <> '';

-- name: worked
-- Added up here, since a milestone has many attempts; one that goes on ends now.
SELECT sum(julianday(until_at) - julianday(started_at)) * 1440 AS minutes
  FROM (SELECT started_at, CASE WHEN ended_at = '' THEN :now ELSE ended_at END AS until_at FROM claims
         WHERE project_id = :project_id AND milestone_id = :milestone_id AND started_at <> '') t
 WHERE until_at > started_at;

-- name: spans_of_task
SELECT started_at, ended_at FROM claims
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id AND started_at <> '';

-- name: spend_of_all
SELECT sum(turns) AS turns, sum(tokens) AS tokens FROM spend WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: most_spent
SELECT task_id, sum(turns) AS turns, sum(tokens) AS tokens FROM spend WHERE project_id = :project_id AND milestone_id = :milestone_id
 GROUP BY task_id ORDER BY 2 DESC, task_id LIMIT :limit;
