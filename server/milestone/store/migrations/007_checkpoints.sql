-- Checkpoints and rollbacks. `note`: why nothing of Git is kept with a checkpoint any more, or was not.
ALTER TABLE agent_checkpoints ADD COLUMN note TEXT NOT NULL DEFAULT '';
CREATE INDEX agent_checkpoints_label ON agent_checkpoints (project_id, milestone_id, label);

-- `rolling`: the checkpoint made before the rollback that is under way. `rolled`: where the last one began that is over.
ALTER TABLE milestones ADD COLUMN rolling TEXT NOT NULL DEFAULT '';
ALTER TABLE milestones ADD COLUMN rolled BIGINT NOT NULL DEFAULT 0;

-- What happened to tasks and phases, read without the keys that agents save, which are the many.
CREATE INDEX events_moves ON events (project_id, milestone_id, position) WHERE event <> 'state_saved' AND event <> 'state_restored';
