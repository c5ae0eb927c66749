-- name: save_pattern
INSERT INTO patterns (project_id, pattern_id, category, name, content, use_when, milestone_id, agent_id, uses, successes, saved_at, expires_at)
VALUES (:project_id, :pattern_id, :category, :name, :content, :use_when, :milestone_id, :agent_id, 0, 0, :at, :expires_at)
ON CONFLICT (project_id, category, name) DO UPDATE SET content = excluded.content, use_when = excluded.use_when, milestone_id = excluded.milestone_id,
    agent_id = excluded.agent_id, saved_at = excluded.saved_at, expires_at = excluded.expires_at
RETURNING pattern_id;

-- name: fresh_patterns
SELECT * FROM patterns WHERE project_id = :project_id AND expires_at > :now AND (:category = '' OR category = :category)
 ORDER BY saved_at DESC LIMIT 200;

-- name: count_use
UPDATE patterns SET uses = uses + 1 WHERE project_id = :project_id AND pattern_id = :pattern_id;

-- name: count_success
UPDATE patterns SET successes = successes + 1 WHERE project_id = :project_id AND pattern_id = :pattern_id;
