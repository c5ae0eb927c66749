-- name: milestone
SELECT * FROM milestones WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: milestones_of
SELECT * FROM milestones WHERE project_id = :project_id ORDER BY created_at, milestone_id;

-- name: milestones_named
-- The same name continues the same milestone as long as it has not ended.
SELECT * FROM milestones WHERE project_id = :project_id AND lower(name) = lower(:name) AND status NOT IN ('completed', 'cancelled')
 ORDER BY created_at DESC LIMIT 1;

-- name: newest_named
SELECT * FROM milestones WHERE project_id = :project_id AND lower(name) = lower(:name) ORDER BY created_at DESC LIMIT 1;

-- name: add_milestone
INSERT INTO milestones (project_id, milestone_id, name, description, status, duration, sections, created_at, updated_at, position)
VALUES (:project_id, :milestone_id, :name, :description, 'planning', '2 weeks', :sections, :at, :at, :position);

-- name: update_milestone
UPDATE milestones SET name = :name, description = :description, status = :status, duration = :duration, sections = :sections, updated_at = :at
 WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: touch_milestone
UPDATE milestones SET position = :position WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: add_phase
INSERT INTO phases (project_id, milestone_id, phase, ordinal, weight, status, started_at, completed_at)
VALUES (:project_id, :milestone_id, :phase, :ordinal, :weight, 'pending', '', '');

-- name: phases_of
SELECT * FROM phases WHERE project_id = :project_id AND milestone_id = :milestone_id ORDER BY ordinal;

-- name: session
SELECT * FROM sessions WHERE project_id = :project_id AND session_id = :session_id;

-- name: latest_session
-- An open session is returned before any that has ended.
SELECT * FROM sessions WHERE project_id = :project_id AND milestone_id = :milestone_id AND (:mode = '' OR mode = :mode)
 ORDER BY CASE status WHEN 'open' THEN 0 ELSE 1 END, started_at DESC LIMIT 1;

-- name: sessions_of
SELECT * FROM sessions WHERE project_id = :project_id AND milestone_id = :milestone_id ORDER BY started_at;

-- name: add_session
INSERT INTO sessions (project_id, session_id, milestone_id, mode, status, started_at, ended_at)
VALUES (:project_id, :session_id, :milestone_id, :mode, 'open', :at, '');

-- name: end_session
UPDATE sessions SET status = :status, ended_at = :at WHERE project_id = :project_id AND session_id = :session_id AND status = 'open';

-- name: lead_session
UPDATE sessions SET coordinator = :coordinator, server = :server, era = :era, lease_until = :lease_until, seen_at = :at
 WHERE project_id = :project_id AND session_id = :session_id;

-- name: renew_lead
-- volatile: era, lease_until, seen_at
-- A sign of life of the host session that coordinates.
UPDATE sessions SET era = :era, lease_until = :lease_until, seen_at = :at
 WHERE project_id = :project_id AND coordinator = :coordinator AND status = 'open';

-- name: tell_session
UPDATE sessions SET told = (SELECT position FROM projects WHERE projects.project_id = sessions.project_id)
 WHERE project_id = :project_id AND session_id = :session_id
   AND told < (SELECT position FROM projects WHERE projects.project_id = sessions.project_id);

-- name: steer
UPDATE milestones SET steering = :steering WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: set_strategy
UPDATE milestones SET strategy = :strategy, updated_at = :at WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: set_phase
UPDATE phases SET status = :status, started_at = :started_at, completed_at = :completed_at
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND phase = :phase;

-- name: set_weight
UPDATE phases SET weight = :weight WHERE project_id = :project_id AND milestone_id = :milestone_id AND phase = :phase;
