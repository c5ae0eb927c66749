-- Which phases a person has to approve before they are completed, and what became of it. `status`: needed (nobody was asked
-- yet, or the work goes on), waiting, approved, rejected. `rejections` counts, so that each makes a task of its own.
CREATE TABLE approvals (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    status TEXT NOT NULL,
    rejections INTEGER NOT NULL,
    asked_at TEXT NOT NULL,
    answered_at TEXT NOT NULL,
    answered_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, phase),
    FOREIGN KEY (project_id, milestone_id) REFERENCES milestones (project_id, milestone_id)
);
