-- name: add_approval
INSERT INTO approvals (project_id, milestone_id, phase, status, rejections, asked_at, answered_at, answered_by, reason)
VALUES (:project_id, :milestone_id, :phase, 'needed', 0, '', '', '', '') ON CONFLICT (project_id, milestone_id, phase) DO NOTHING;

-- name: approvals_of
SELECT * FROM approvals WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: ask_approval
UPDATE approvals SET status = 'waiting', asked_at = :at
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND phase = :phase AND status IN ('needed', 'rejected');

-- name: need_approval
UPDATE approvals SET status = 'needed', asked_at = ''
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND phase = :phase AND status IN ('waiting', 'approved');

-- name: answer_approval
UPDATE approvals SET status = :status, rejections = rejections + :rejected, answered_at = :at, answered_by = :answered_by, reason = :reason
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND phase = :phase;
