-- name: set_parked
UPDATE milestones SET parked_until = :parked_until, parked_clock = :parked_clock, parked_era = :parked_era, parked_why = :parked_why
 WHERE project_id = :project_id AND milestone_id = :milestone_id;

-- name: add_parking
INSERT INTO parkings (project_id, milestone_id, from_at, until_at) VALUES (:project_id, :milestone_id, :from_at, :until_at)
ON CONFLICT (project_id, milestone_id, from_at) DO UPDATE SET until_at = excluded.until_at;

-- name: end_parking
UPDATE parkings SET until_at = :until_at
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND from_at = (
    SELECT max(p.from_at) FROM parkings p WHERE p.project_id = :project_id AND p.milestone_id = :milestone_id);

-- name: parkings_of
SELECT from_at, until_at FROM parkings WHERE project_id = :project_id AND milestone_id = :milestone_id ORDER BY from_at;
