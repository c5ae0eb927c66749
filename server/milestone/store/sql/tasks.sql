-- name: add_task
INSERT INTO tasks (project_id, milestone_id, task_id, ordinal, mode, agent_type, title, phase, weight, produces, critical, time_limit,
    status, detail, attempts, completed_at, standing, source, subject, proof, paths, acceptance, repository, last)
VALUES (:project_id, :milestone_id, :task_id, :ordinal, :mode, :agent_type, :title, :phase, :weight, :produces, :critical, :time_limit,
    'pending', '', 0, '', :standing, :source, :subject, :proof, :paths, :acceptance, :repository, :last)
ON CONFLICT (project_id, milestone_id, task_id) DO NOTHING;

-- name: add_dependency
INSERT INTO task_dependencies (project_id, milestone_id, task_id, needs_task, needs_key)
VALUES (:project_id, :milestone_id, :task_id, :needs_task, :needs_key)
ON CONFLICT (project_id, milestone_id, task_id, needs_task, needs_key) DO NOTHING;

-- name: count_needs
-- Counted once when tasks are written; afterwards each task that ends takes itself off (`meet_needs`).
UPDATE tasks SET unmet = (
    SELECT count(*) FROM task_dependencies d JOIN tasks n
        ON n.project_id = d.project_id AND n.milestone_id = d.milestone_id AND n.task_id = d.needs_task
     WHERE d.project_id = tasks.project_id AND d.milestone_id = tasks.milestone_id AND d.task_id = tasks.task_id
       AND n.status NOT IN ('completed', 'skipped'))
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND status = 'pending' AND (:task_id = '' OR task_id = :task_id);

-- name: meet_needs
UPDATE tasks SET unmet = unmet - (
    SELECT count(*) FROM task_dependencies d
     WHERE d.project_id = tasks.project_id AND d.milestone_id = tasks.milestone_id AND d.task_id = tasks.task_id AND d.needs_task = :task_id)
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id IN (
    SELECT d.task_id FROM task_dependencies d
     WHERE d.project_id = :project_id AND d.milestone_id = :milestone_id AND d.needs_task = :task_id);

-- name: task
SELECT * FROM tasks WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id;

-- name: tasks_of
-- Each task with its open claim, in the order of consideration.
SELECT t.*, c.agent_id AS held_by, c.attempt, c.server, c.handed_out_at, c.started_at
  FROM tasks t
  LEFT JOIN claims c ON c.project_id = t.project_id AND c.milestone_id = t.milestone_id AND c.task_id = t.task_id AND c.ended_at = ''
 WHERE t.project_id = :project_id AND t.milestone_id = :milestone_id AND (:mode = '' OR t.mode = :mode)
 ORDER BY t.mode DESC, t.ordinal, t.task_id LIMIT :limit OFFSET :offset;

-- name: page
-- The same for one mode, from an ordinal on: the index holds the order, so no page costs more than another.
SELECT t.*, c.agent_id AS held_by FROM tasks t
  LEFT JOIN claims c ON c.project_id = t.project_id AND c.milestone_id = t.milestone_id AND c.task_id = t.task_id AND c.ended_at = ''
 WHERE t.project_id = :project_id AND t.milestone_id = :milestone_id AND t.mode = :mode AND t.ordinal > :after
 ORDER BY t.ordinal LIMIT :limit;

-- name: held
-- The open claims of a mode, with what decides whether they still count. The status says it twice, but leads to few rows.
SELECT t.*, c.agent_id AS held_by, c.attempt, c.server, c.handed_out_at, c.started_at, a.seen_at,
       c.era AS lease_era, c.lease_until, c.deadline
  FROM claims c
  JOIN tasks t ON t.project_id = c.project_id AND t.milestone_id = c.milestone_id AND t.task_id = c.task_id
  JOIN agent_registry a ON a.project_id = c.project_id AND a.agent_id = c.agent_id
 WHERE c.project_id = :project_id AND c.milestone_id = :milestone_id AND c.ended_at = '' AND t.mode = :mode AND t.status = 'claimed'
 ORDER BY t.ordinal;

-- name: ready
-- The first tasks of a phase whose needs are met and that nobody holds.
SELECT * FROM tasks
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode AND phase = :phase AND standing = :standing
   AND unmet = 0 AND status IN ('pending', 'ready') AND (not_before = 0 OR era <> :era OR not_before <= :now)
 ORDER BY ordinal LIMIT :limit;

-- name: delayed
-- The task that may be tried again first among those whose time has not come.
SELECT task_id, detail, not_before FROM tasks
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode
   AND unmet = 0 AND status IN ('pending', 'ready') AND not_before > :now AND era = :era
 ORDER BY not_before, ordinal LIMIT 1;

-- name: with_status
SELECT * FROM tasks
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode AND status = :status ORDER BY ordinal LIMIT :limit;

-- name: unfinished
-- Whether a phase has a task that has not ended; the standing roles end with the session and hold nobody up.
SELECT task_id FROM tasks
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode AND standing = 0 AND phase = :phase
   AND status NOT IN ('completed', 'skipped') LIMIT 1;

-- name: left_over
-- The first tasks that have neither ended nor failed.
SELECT task_id FROM tasks
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode AND standing = 0
   AND status NOT IN ('completed', 'skipped') AND status <> 'failed' LIMIT :limit;

-- name: exists_in
SELECT task_id FROM tasks WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode LIMIT 1;

-- name: standing_left
SELECT task_id FROM tasks
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode AND standing = 1 AND status NOT IN ('completed', 'skipped', 'failed')
 ORDER BY ordinal;

-- name: waiting_for_all
-- Tasks that come last in their phase and have not begun: whatever is added to the phase, they wait for it.
SELECT task_id FROM tasks
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode AND phase = :phase AND last = 1
   AND status IN ('pending', 'ready') ORDER BY ordinal;

-- name: tally
-- `free`: how many of them wait for nothing. In the order of an index, so that nothing is sorted.
SELECT phase, status, standing, count(*) AS tasks, sum(weight) AS weight, sum(CASE WHEN unmet = 0 THEN 1 ELSE 0 END) AS free
  FROM tasks WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode GROUP BY standing, phase, status;

-- name: newest_ordinal
SELECT max(ordinal) AS ordinal FROM tasks WHERE project_id = :project_id AND milestone_id = :milestone_id AND mode = :mode;

-- name: needs_of
SELECT d.needs_key, e.agent_id FROM task_dependencies d
  LEFT JOIN evidence e ON e.project_id = d.project_id AND e.milestone_id = d.milestone_id AND e.task_id = d.needs_task AND e.kind = 'keys'
 WHERE d.project_id = :project_id AND d.milestone_id = :milestone_id AND d.task_id = :task_id AND d.needs_key <> ''
 ORDER BY d.needs_key, d.needs_task LIMIT 40;

-- name: blocked_by
SELECT n.task_id, n.status FROM task_dependencies d
  JOIN tasks n ON n.project_id = d.project_id AND n.milestone_id = d.milestone_id AND n.task_id = d.needs_task
 WHERE d.project_id = :project_id AND d.milestone_id = :milestone_id AND d.task_id = :task_id AND n.status NOT IN ('completed', 'skipped')
 ORDER BY n.ordinal LIMIT 5;

-- name: dependencies_of
SELECT task_id, needs_task, needs_key FROM task_dependencies
 WHERE project_id = :project_id AND milestone_id = :milestone_id ORDER BY task_id, needs_task, needs_key;

-- name: set_task
-- What has ended well stays so.
UPDATE tasks SET status = :status, detail = :detail, completed_at = :completed_at
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id AND status NOT IN ('completed', 'skipped');

-- name: set_left
UPDATE tasks SET left_behind = :left_behind WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id;

-- name: set_next_role
UPDATE tasks SET next_role = :next_role WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id;

-- name: set_proof
UPDATE tasks SET proof = :proof WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id;

-- name: fill_task
UPDATE tasks SET title = :title, paths = :paths, acceptance = :acceptance
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id;

-- name: count_attempt
-- No number comes twice, not even after a rollback, so that what an attempt before it still does is never taken for this one's.
UPDATE tasks SET status = 'claimed', detail = '', attempts = 1 + coalesce(
    (SELECT max(c.attempt) FROM claims c WHERE c.project_id = tasks.project_id AND c.milestone_id = tasks.milestone_id
        AND c.task_id = tasks.task_id AND c.attempt > tasks.attempts), attempts)
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id RETURNING attempts;

-- name: add_claim
INSERT INTO claims (project_id, milestone_id, task_id, attempt, agent_id, server, handed_out_at, started_at, ended_at, outcome, reminders,
    patterns, era, lease_until, deadline, base_commit)
VALUES (:project_id, :milestone_id, :task_id, :attempt, :agent_id, :server, :at, '', '', '', 0,
    :patterns, :era, :lease_until, :deadline, :base_commit);

-- name: renew_claim
-- volatile: era, lease_until
-- A sign of life of whoever has begun: the lease holds anew for as long as the task lets its agent be silent.
UPDATE claims SET era = :era, lease_until = :now + 1000 * (SELECT t.time_limit FROM tasks t
     WHERE t.project_id = claims.project_id AND t.milestone_id = claims.milestone_id AND t.task_id = claims.task_id)
 WHERE project_id = :project_id AND agent_id = :agent_id AND started_at <> '' AND ended_at = '';

-- name: date_claim
-- volatile: era, lease_until, deadline
-- A claim of a version that knew no leases gets one.
UPDATE claims SET era = :era, lease_until = :lease_until, deadline = :deadline
 WHERE project_id = :project_id AND agent_id = :agent_id AND ended_at = '' AND era = '';

-- name: claim_of_agent
SELECT * FROM claims WHERE project_id = :project_id AND agent_id = :agent_id ORDER BY attempt DESC LIMIT 1;

-- name: claim_of_attempt
SELECT * FROM claims WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id ORDER BY attempt DESC LIMIT 1;

-- name: spans
-- When agents were at work, newest first: what velocity is computed from.
SELECT c.started_at, c.ended_at, c.outcome, t.phase, t.weight, t.status FROM claims c
  JOIN tasks t ON t.project_id = c.project_id AND t.milestone_id = c.milestone_id AND t.task_id = c.task_id
 WHERE c.project_id = :project_id AND c.milestone_id = :milestone_id AND t.mode = 'execution' AND c.started_at <> '' AND c.ended_at <> ''
 ORDER BY c.ended_at DESC LIMIT :limit;

-- name: start_claim
UPDATE claims SET started_at = :at, server = :server WHERE project_id = :project_id AND agent_id = :agent_id AND started_at = '' AND ended_at = '';

-- name: adopt_claim
-- The host may start our server anew while its agents go on; the claim follows to the process they now talk to.
UPDATE claims SET server = :server WHERE project_id = :project_id AND agent_id = :agent_id AND ended_at = '' AND server <> :server;

-- name: end_claim
UPDATE claims SET ended_at = :at, outcome = :outcome WHERE project_id = :project_id AND agent_id = :agent_id AND ended_at = '';

-- name: remind_claim
UPDATE claims SET reminders = reminders + 1 WHERE project_id = :project_id AND agent_id = :agent_id AND ended_at = '' RETURNING reminders;

-- name: set_retry
-- What has ended well stays so.
UPDATE tasks SET status = :status, detail = :detail, not_before = :not_before, era = :era, completed_at = '',
    failures = failures + :failures, rollbacks = rollbacks + :rollbacks
 WHERE project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id AND status NOT IN ('completed', 'skipped');
