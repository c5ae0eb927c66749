PRAGMA user_version=2;
BEGIN TRANSACTION;
CREATE TABLE agent_checkpoints (
    project_id TEXT NOT NULL,
    checkpoint_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    label TEXT NOT NULL,
    position BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (project_id, checkpoint_id)
);
INSERT INTO "agent_checkpoints" VALUES('repo2-1c89b62c','checkpoint-65f7debbf9','agent','helper-1','before',83,'2026-11-23T04:55:51.496Z');
CREATE TABLE agent_messages (
    project_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    message_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    from_agent TEXT NOT NULL,
    recipient TEXT NOT NULL,
    type TEXT NOT NULL,
    payload TEXT NOT NULL,
    reply_to TEXT NOT NULL,
    sent_at TEXT NOT NULL,
    PRIMARY KEY (project_id, message_id),
    FOREIGN KEY (project_id, from_agent) REFERENCES agent_registry (project_id, agent_id)
);
INSERT INTO "agent_messages" VALUES('repo2-1c89b62c',81,'msg-d09bdb92fcbc','milestone-20261123-045551','helper-1','helper-2','note','{"a":1}','','2026-11-23T04:55:51.460Z');
INSERT INTO "agent_messages" VALUES('repo2-1c89b62c',82,'msg-14496a76cb30','milestone-20261123-045551','helper-1','project-milestone-coordinator','note','"waits"','','2026-11-23T04:55:51.475Z');
CREATE TABLE agent_registry (
    project_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    agent_type TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    capabilities TEXT NOT NULL,
    status TEXT NOT NULL,
    detail TEXT NOT NULL,
    verified INTEGER NOT NULL,
    token_digest TEXT NOT NULL,
    host_session TEXT NOT NULL,
    host_agent TEXT NOT NULL,
    registered_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    PRIMARY KEY (project_id, agent_id),
    FOREIGN KEY (project_id, session_id) REFERENCES sessions (project_id, session_id)
);
INSERT INTO "agent_registry" VALUES('repo2-1c89b62c','coordinator-planning-goal-90d46c1f-1795409750','project-milestone-coordinator','goal-90d46c1f','planning-goal-90d46c1f-1795409750','["planning","execution","coordination"]','completed','',0,'','','','2026-11-23T04:55:50.940Z','2026-11-23T04:55:51.013Z','2026-11-23T04:55:51.013Z');
INSERT INTO "agent_registry" VALUES('repo2-1c89b62c','project-milestone-planner-f171ea','project-milestone-planner','goal-90d46c1f','planning-goal-90d46c1f-1795409750','[]','completed','',0,'ac57086c237d19d1bb0115c536dd911e','','','2026-11-23T04:55:50.945Z','2026-11-23T04:55:51.013Z','2026-11-23T04:55:51.013Z');
INSERT INTO "agent_registry" VALUES('repo2-1c89b62c','coordinator-execution-goal-90d46c1f-1795409751','project-milestone-coordinator','goal-90d46c1f','execution-goal-90d46c1f-1795409751','["planning","execution","coordination"]','active','',0,'','','','2026-11-23T04:55:51.160Z','2026-11-23T04:55:51.160Z','');
INSERT INTO "agent_registry" VALUES('repo2-1c89b62c','doc-architecture-designer-333943','doc-architecture-designer','goal-90d46c1f','execution-goal-90d46c1f-1795409751','[]','completed','',0,'81308c232f8600ff099fce70c661dcd3','','','2026-11-23T04:55:51.189Z','2026-11-23T04:55:51.214Z','2026-11-23T04:55:51.214Z');
INSERT INTO "agent_registry" VALUES('repo2-1c89b62c','project-milestone-executor-bbac09','project-milestone-executor','goal-90d46c1f','execution-goal-90d46c1f-1795409751','[]','completed','',0,'516d75808c2dccad233df495e12bc5ae','','','2026-11-23T04:55:51.189Z','2026-11-23T04:55:51.226Z','2026-11-23T04:55:51.226Z');
INSERT INTO "agent_registry" VALUES('repo2-1c89b62c','doc-api-documenter-14a1a9','doc-api-documenter','goal-90d46c1f','execution-goal-90d46c1f-1795409751','[]','completed','',0,'898af7e6a644755e140d5a4fc287c976','','','2026-11-23T04:55:51.267Z','2026-11-23T04:55:51.311Z','2026-11-23T04:55:51.311Z');
INSERT INTO "agent_registry" VALUES('repo2-1c89b62c','doc-api-documenter-4d68ab','doc-api-documenter','goal-90d46c1f','execution-goal-90d46c1f-1795409751','[]','completed','',0,'5212d49b6ed217b86d01beec3adb7513','','','2026-11-23T04:55:51.267Z','2026-11-23T04:55:51.339Z','2026-11-23T04:55:51.339Z');
INSERT INTO "agent_registry" VALUES('repo2-1c89b62c','code-transformer-7146c4','code-transformer','goal-90d46c1f','execution-goal-90d46c1f-1795409751','[]','waiting','',0,'c3000e00c5a41e58f2dcd66ea24bdf6d','','','2026-11-23T04:55:51.395Z','2026-11-23T04:55:51.395Z','');
INSERT INTO "agent_registry" VALUES('repo2-1c89b62c','coordinator-planning-milestone-20261123-045551-1795409751','project-milestone-coordinator','milestone-20261123-045551','planning-milestone-20261123-045551-1795409751','["planning","execution","coordination"]','active','',0,'','','','2026-11-23T04:55:51.412Z','2026-11-23T04:55:51.412Z','');
INSERT INTO "agent_registry" VALUES('repo2-1c89b62c','helper-1','helper','milestone-20261123-045551','planning-milestone-20261123-045551-1795409751','[]','active','',0,'','','','2026-11-23T04:55:51.425Z','2026-11-23T04:55:51.425Z','');
INSERT INTO "agent_registry" VALUES('repo2-1c89b62c','helper-2','helper','milestone-20261123-045551','planning-milestone-20261123-045551-1795409751','[]','active','',0,'','','','2026-11-23T04:55:51.435Z','2026-11-23T04:55:51.435Z','');
CREATE TABLE agent_state (
    project_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    key TEXT NOT NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    milestone_id TEXT NOT NULL,
    value TEXT NOT NULL,
    present INTEGER NOT NULL,
    saved_at TEXT NOT NULL,
    PRIMARY KEY (project_id, agent_id, key, version),
    FOREIGN KEY (project_id, agent_id) REFERENCES agent_registry (project_id, agent_id)
);
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','project-milestone-planner-f171ea','milestone-plan',1,10,'goal-90d46c1f','{"summary":"Tokens first, then the login","objectives":{"primary":"People log in with OAuth","secondary":["no passwords"],"success_criteria":["a test logs in"]},"scope":{"included":["login"],"excluded":["registration"],"constraints":["Python 3.11"]},"decisions":[{"id":"d-1","kind":"originate","what":"a token store","reason":"there is none","source":"scope","places":[{"file":"app/login.py","line":1}]}],"tasks":[{"id":"decide","title":"Carry out decide","phase":"design","weight":7,"depends_on":[],"paths":[],"evidence":["python -m unittest exits 0"],"decisions":["d-1"]},{"id":"specify","title":"Carry out specify","phase":"spec","weight":3,"depends_on":["decide"],"paths":[],"evidence":["python -m unittest exits 0"],"decisions":["d-1"]},{"id":"name","title":"Carry out name","phase":"spec","weight":5,"depends_on":[],"paths":[],"evidence":["python -m unittest exits 0"],"decisions":["d-1"]},{"id":"build","title":"Carry out build","phase":"execute","weight":11,"depends_on":["specify"],"paths":["app/"],"evidence":["python -m unittest exits 0"],"decisions":["d-1"]},{"id":"ship","title":"Carry out ship","phase":"execute","weight":13,"depends_on":["build"],"paths":[],"evidence":["python -m unittest exits 0"],"decisions":["d-1"]}],"estimates":{"design":1.0,"spec":2.0,"task":1.5,"execute":8.0},"timeline":[{"stage":"tokens","duration":"1 week","outcome":"a store"}],"risks":[{"risk":"the provider changes its interface","likelihood":"low","impact":"high","mitigation":"pin its version"}],"dependencies":{"requires":[],"blocks":[]}}',1,'2026-11-23T04:55:50.988Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','coordinator-execution-goal-90d46c1f-1795409751','execution-state',1,23,'goal-90d46c1f','{"session_id":"execution-goal-90d46c1f-1795409751","strategy":"adaptive","phases":{"design":{"weight":15,"percentage":0},"spec":{"weight":25,"percentage":0},"task":{"weight":20,"percentage":0},"execute":{"weight":40,"percentage":0}},"roadmap":[{"stage":"tokens","duration":"1 week","outcome":"a store"}],"estimates":{"design":1.0,"spec":2.0,"task":1.5,"execute":8.0},"repositories":[{"name":"","branch":"feature/milestone-goal-90d46c1f","base":"88a4c9206ce2b086b1e7141789d428d3052a39d8"}]}',1,'2026-11-23T04:55:51.160Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','coordinator-execution-goal-90d46c1f-1795409751','ready-for-execution',1,24,'goal-90d46c1f','true',1,'2026-11-23T04:55:51.160Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','coordinator-execution-goal-90d46c1f-1795409751','milestone-progress',1,25,'goal-90d46c1f','{"percentage":0.0,"phase":"design","tasks_completed":0,"tasks_total":5,"overall":0.0,"by_phase":{"design":0.0,"spec":0.0,"task":0.0,"execute":0.0},"velocity":"insufficient data (0)","eta":"insufficient data (0)","waived":[]}',1,'2026-11-23T04:55:51.160Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','doc-architecture-designer-333943','brief',1,29,'goal-90d46c1f','"# Brief: Carry out decide\n\nYou work on one task of a milestone. The Milestone server keeps what you save; when you stop, the rest is forgotten.\n\nagent_id: doc-architecture-designer-333943\ntoken: (your token)\ntask_id: decide\nmilestone_id: goal-90d46c1f\nproject root: /home/person/toy\ntime limit: 30 minutes\n\nWhat the milestone is for, in the words of the person who wants it (a goal to serve; rules come from this brief and your role):\n\n<words-f40375ace505>\nname: goal-90d46c1f\ngoal: \n</words-f40375ace505>\n\nWhat this task is about, as the plan and others have it (data):\n\n<words-2857f4392993>\nphase: design\ndone when: python -m unittest exits 0\nserves: d-1 (originate): a token store\n</words-2857f4392993>\n\n## In this order\n\n1. `update_agent_status(agent_id=\"doc-architecture-designer-333943\", status=\"active\", token=\"(your token)\")`, before anything else: it ties you to this task.\n2. You are given no results of others: this task starts from the project itself.\n3. `git_milestone(action=\"worktree\", agent_id, token)` gives you the folder to work in: the milestone''s branch as it stands, to read. Do the work of your role.\n4. Save `task-report` with `save_agent_state(agent_id, key, value, token)`; your role shows the shape.\n5. `complete_task(task_id, agent_id, token)`: the server checks what you saved and says what is missing.\n6. Answer with at most five lines. The first word is DONE, DONE_WITH_CONCERNS, BLOCKED or NEEDS_CONTEXT.\n"',1,'2026-11-23T04:55:51.189Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','project-milestone-executor-bbac09','brief',1,31,'goal-90d46c1f','"# Brief: Tell each phase what matters\n\nYou work on one task of a milestone. The Milestone server keeps what you save; when you stop, the rest is forgotten.\n\nagent_id: project-milestone-executor-bbac09\ntoken: (your token)\ntask_id: executor\nmilestone_id: goal-90d46c1f\nproject root: /home/person/toy\ntime limit: 30 minutes\n\nWhat the milestone is for, in the words of the person who wants it (a goal to serve; rules come from this brief and your role):\n\n<words-f40375ace505>\nname: goal-90d46c1f\ngoal: \n</words-f40375ace505>\n\nWhat this task is about, as the plan and others have it (data):\n\n<words-be634601a121>\nphase: all of them\n</words-be634601a121>\n\n## In this order\n\n1. `update_agent_status(agent_id=\"project-milestone-executor-bbac09\", status=\"active\", token=\"(your token)\")`, before anything else: it ties you to this task.\n2. You are given no results of others: this task starts from the project itself.\n3. `git_milestone(action=\"worktree\", agent_id, token)` gives you the folder to work in: the milestone''s branch as it stands, to read. Do the work of your role.\n4. Save `execution-brief` with `save_agent_state(agent_id, key, value, token)`; your role shows the shape.\n5. `complete_task(task_id, agent_id, token)`: the server checks what you saved and says what is missing.\n6. Answer with at most five lines. The first word is DONE, DONE_WITH_CONCERNS, BLOCKED or NEEDS_CONTEXT.\n"',1,'2026-11-23T04:55:51.189Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','doc-architecture-designer-333943','task-report',1,34,'goal-90d46c1f','{"summary":"Done as asked","changed":[],"checks":[],"decisions":[],"concerns":[]}',1,'2026-11-23T04:55:51.211Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','coordinator-execution-goal-90d46c1f-1795409751','milestone-progress',2,36,'goal-90d46c1f','{"percentage":15.0,"phase":"design","tasks_completed":1,"tasks_total":5,"overall":15.0,"by_phase":{"design":100.0,"spec":0.0,"task":0.0,"execute":0.0},"velocity":"6750086.9 percent per active hour (n=1)","eta":"insufficient data (1)","waived":[]}',1,'2026-11-23T04:55:51.214Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','project-milestone-executor-bbac09','execution-brief',1,39,'goal-90d46c1f','{"summary":"Carry it out","phases":[],"concerns":[]}',1,'2026-11-23T04:55:51.222Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','coordinator-execution-goal-90d46c1f-1795409751','milestone-progress',3,41,'goal-90d46c1f','{"percentage":15.0,"phase":"design","tasks_completed":1,"tasks_total":5,"overall":15.0,"by_phase":{"design":100.0,"spec":0.0,"task":0.0,"execute":0.0},"velocity":"3374993.2 percent per active hour (n=1)","eta":"insufficient data (1)","waived":[]}',1,'2026-11-23T04:55:51.226Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','coordinator-execution-goal-90d46c1f-1795409751','kiro-drift',1,43,'goal-90d46c1f','[]',1,'2026-11-23T04:55:51.238Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','coordinator-execution-goal-90d46c1f-1795409751','milestone-progress',4,44,'goal-90d46c1f','{"percentage":15.0,"phase":"spec","tasks_completed":1,"tasks_total":5,"overall":15.0,"by_phase":{"design":100.0,"spec":0.0,"task":0.0,"execute":0.0},"velocity":"3374993.2 percent per active hour (n=1)","eta":"insufficient data (1)","waived":[]}',1,'2026-11-23T04:55:51.238Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','doc-api-documenter-14a1a9','brief',1,48,'goal-90d46c1f','"# Brief: Carry out specify\n\nYou work on one task of a milestone. The Milestone server keeps what you save; when you stop, the rest is forgotten.\n\nagent_id: doc-api-documenter-14a1a9\ntoken: (your token)\ntask_id: specify\nmilestone_id: goal-90d46c1f\nproject root: /home/person/toy\ntime limit: 30 minutes\n\nWhat the milestone is for, in the words of the person who wants it (a goal to serve; rules come from this brief and your role):\n\n<words-f40375ace505>\nname: goal-90d46c1f\ngoal: \n</words-f40375ace505>\n\nWhat this task is about, as the plan and others have it (data):\n\n<words-af189ef5291e>\nphase: spec\ndone when: python -m unittest exits 0\nserves: d-1 (originate): a token store\n</words-af189ef5291e>\n\n## In this order\n\n1. `update_agent_status(agent_id=\"doc-api-documenter-14a1a9\", status=\"active\", token=\"(your token)\")`, before anything else: it ties you to this task.\n2. Load what others found out: `load_agent_state(key=\"task-report\", agent_id=\"doc-architecture-designer-333943\")`.\n3. `git_milestone(action=\"worktree\", agent_id, token)` gives you the folder to work in: the milestone''s branch as it stands, to read. Do the work of your role.\n4. Save `task-report` with `save_agent_state(agent_id, key, value, token)`; your role shows the shape.\n5. `complete_task(task_id, agent_id, token)`: the server checks what you saved and says what is missing.\n6. Answer with at most five lines. The first word is DONE, DONE_WITH_CONCERNS, BLOCKED or NEEDS_CONTEXT.\n"',1,'2026-11-23T04:55:51.267Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','doc-api-documenter-4d68ab','brief',1,50,'goal-90d46c1f','"# Brief: Carry out name\n\nYou work on one task of a milestone. The Milestone server keeps what you save; when you stop, the rest is forgotten.\n\nagent_id: doc-api-documenter-4d68ab\ntoken: (your token)\ntask_id: name\nmilestone_id: goal-90d46c1f\nproject root: /home/person/toy\ntime limit: 30 minutes\n\nWhat the milestone is for, in the words of the person who wants it (a goal to serve; rules come from this brief and your role):\n\n<words-f40375ace505>\nname: goal-90d46c1f\ngoal: \n</words-f40375ace505>\n\nWhat this task is about, as the plan and others have it (data):\n\n<words-af189ef5291e>\nphase: spec\ndone when: python -m unittest exits 0\nserves: d-1 (originate): a token store\n</words-af189ef5291e>\n\n## In this order\n\n1. `update_agent_status(agent_id=\"doc-api-documenter-4d68ab\", status=\"active\", token=\"(your token)\")`, before anything else: it ties you to this task.\n2. You are given no results of others: this task starts from the project itself.\n3. `git_milestone(action=\"worktree\", agent_id, token)` gives you the folder to work in: the milestone''s branch as it stands, to read. Do the work of your role.\n4. Save `task-report` with `save_agent_state(agent_id, key, value, token)`; your role shows the shape.\n5. `complete_task(task_id, agent_id, token)`: the server checks what you saved and says what is missing.\n6. Answer with at most five lines. The first word is DONE, DONE_WITH_CONCERNS, BLOCKED or NEEDS_CONTEXT.\n"',1,'2026-11-23T04:55:51.267Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','doc-api-documenter-14a1a9','task-report',1,53,'goal-90d46c1f','{"summary":"Done as asked","changed":[],"checks":[],"decisions":[],"concerns":[]}',1,'2026-11-23T04:55:51.295Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','coordinator-execution-goal-90d46c1f-1795409751','milestone-progress',5,55,'goal-90d46c1f','{"percentage":24.3,"phase":"spec","tasks_completed":2,"tasks_total":5,"overall":24.3,"by_phase":{"design":100.0,"spec":37.5,"task":0.0,"execute":0.0},"velocity":"1994311.4 percent per active hour (n=2)","eta":"insufficient data (2)","waived":[]}',1,'2026-11-23T04:55:51.311Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','doc-api-documenter-4d68ab','task-report',1,58,'goal-90d46c1f','{"summary":"Done as asked","changed":[],"checks":[],"decisions":[],"concerns":[]}',1,'2026-11-23T04:55:51.331Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','coordinator-execution-goal-90d46c1f-1795409751','milestone-progress',6,60,'goal-90d46c1f','{"percentage":40.0,"phase":"spec","tasks_completed":3,"tasks_total":5,"overall":40.0,"by_phase":{"design":100.0,"spec":100.0,"task":0.0,"execute":0.0},"velocity":"2399992.8 percent per active hour (n=3)","eta":"insufficient data (3)","waived":[]}',1,'2026-11-23T04:55:51.339Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','coordinator-execution-goal-90d46c1f-1795409751','kiro-drift',2,62,'goal-90d46c1f','[]',1,'2026-11-23T04:55:51.359Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','coordinator-execution-goal-90d46c1f-1795409751','milestone-progress',7,63,'goal-90d46c1f','{"percentage":40.0,"phase":"task","tasks_completed":3,"tasks_total":5,"overall":40.0,"by_phase":{"design":100.0,"spec":100.0,"task":0.0,"execute":0.0},"velocity":"2399992.8 percent per active hour (n=3)","eta":"insufficient data (3)","waived":[]}',1,'2026-11-23T04:55:51.359Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','coordinator-execution-goal-90d46c1f-1795409751','kiro-drift',3,67,'goal-90d46c1f','[]',1,'2026-11-23T04:55:51.380Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','coordinator-execution-goal-90d46c1f-1795409751','milestone-progress',8,68,'goal-90d46c1f','{"percentage":60.0,"phase":"execute","tasks_completed":3,"tasks_total":5,"overall":60.0,"by_phase":{"design":100.0,"spec":100.0,"task":100.0,"execute":0.0},"velocity":"2399992.8 percent per active hour (n=3)","eta":"insufficient data (3)","waived":[]}',1,'2026-11-23T04:55:51.380Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','code-transformer-7146c4','brief',1,72,'goal-90d46c1f','"# Brief: Carry out build\n\nYou work on one task of a milestone. The Milestone server keeps what you save; when you stop, the rest is forgotten.\n\nagent_id: code-transformer-7146c4\ntoken: (your token)\ntask_id: build\nmilestone_id: goal-90d46c1f\nproject root: /home/person/toy\ntime limit: 30 minutes\n\nWhat the milestone is for, in the words of the person who wants it (a goal to serve; rules come from this brief and your role):\n\n<words-f40375ace505>\nname: goal-90d46c1f\ngoal: \n</words-f40375ace505>\n\nWhat this task is about, as the plan and others have it (data):\n\n<words-c5a67d6fc308>\nphase: execute\nyou may change: app/; a commit with anything else is refused\ndone when: python -m unittest exits 0\nserves: d-1 (originate): a token store\n</words-c5a67d6fc308>\n\n## In this order\n\n1. `update_agent_status(agent_id=\"code-transformer-7146c4\", status=\"active\", token=\"(your token)\")`, before anything else: it ties you to this task.\n2. Load what others found out: `load_agent_state(key=\"task-report\", agent_id=\"doc-api-documenter-14a1a9\")`.\n3. `git_milestone(action=\"worktree\", agent_id, token)` gives you the folder to work in. Do the work of your role there, try `run_gates(task_id, agent_id, token)`, `git_milestone(action=\"commit\", summary, kind, agent_id, token)`.\n4. Save `task-report` with `save_agent_state(agent_id, key, value, token)`; your role shows the shape.\n5. `complete_task(task_id, agent_id, token)`: the server checks what you saved and committed and says what is missing.\n6. Answer with at most five lines. The first word is DONE, DONE_WITH_CONCERNS, BLOCKED or NEEDS_CONTEXT.\n"',1,'2026-11-23T04:55:51.395Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','helper-1','notes',1,79,'milestone-20261123-045551','{"text":"it''s \"quoted\"; DROP TABLE tasks; \t\n 🎉","n":1.5e+300,"big":9007199254740992,"none":null,"list":[[],{}]}',1,'2026-11-23T04:55:51.439Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','helper-1','notes',2,80,'milestone-20261123-045551','""',1,'2026-11-23T04:55:51.451Z');
INSERT INTO "agent_state" VALUES('repo2-1c89b62c','helper-1','other',1,84,'milestone-20261123-045551','[1,2,3]',1,'2026-11-23T04:55:51.503Z');
CREATE TABLE claims (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    agent_id TEXT NOT NULL,
    server TEXT NOT NULL,
    handed_out_at TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reminders INTEGER NOT NULL, patterns TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (project_id, milestone_id, task_id, attempt),
    FOREIGN KEY (project_id, milestone_id, task_id) REFERENCES tasks (project_id, milestone_id, task_id),
    FOREIGN KEY (project_id, agent_id) REFERENCES agent_registry (project_id, agent_id)
);
INSERT INTO "claims" VALUES('repo2-1c89b62c','goal-90d46c1f','plan',1,'project-milestone-planner-f171ea','','2026-11-23T04:55:50.945Z','2026-11-23T04:55:50.976Z','2026-11-23T04:55:51.013Z','completed',0,'[]');
INSERT INTO "claims" VALUES('repo2-1c89b62c','goal-90d46c1f','decide',1,'doc-architecture-designer-333943','','2026-11-23T04:55:51.189Z','2026-11-23T04:55:51.206Z','2026-11-23T04:55:51.214Z','completed',0,'[]');
INSERT INTO "claims" VALUES('repo2-1c89b62c','goal-90d46c1f','executor',1,'project-milestone-executor-bbac09','','2026-11-23T04:55:51.189Z','2026-11-23T04:55:51.218Z','2026-11-23T04:55:51.226Z','completed',0,'[]');
INSERT INTO "claims" VALUES('repo2-1c89b62c','goal-90d46c1f','specify',1,'doc-api-documenter-14a1a9','','2026-11-23T04:55:51.267Z','2026-11-23T04:55:51.283Z','2026-11-23T04:55:51.311Z','completed',0,'[]');
INSERT INTO "claims" VALUES('repo2-1c89b62c','goal-90d46c1f','name',1,'doc-api-documenter-4d68ab','','2026-11-23T04:55:51.267Z','2026-11-23T04:55:51.323Z','2026-11-23T04:55:51.339Z','completed',0,'[]');
INSERT INTO "claims" VALUES('repo2-1c89b62c','goal-90d46c1f','build',1,'code-transformer-7146c4','','2026-11-23T04:55:51.395Z','','','',0,'[]');
CREATE TABLE decisions (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    what TEXT NOT NULL,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,
    places TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, decision_id),
    FOREIGN KEY (project_id, milestone_id) REFERENCES milestones (project_id, milestone_id)
);
INSERT INTO "decisions" VALUES('repo2-1c89b62c','goal-90d46c1f','d-1',0,'originate','a token store','there is none','scope','[{"file":"app/login.py","line":1}]');
CREATE TABLE events (
    project_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    milestone_id TEXT NOT NULL,
    at TEXT NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,
    actor TEXT NOT NULL,
    topic TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (project_id, position),
    FOREIGN KEY (project_id) REFERENCES projects (project_id)
);
INSERT INTO "events" VALUES('repo2-1c89b62c',2,'goal-90d46c1f','2026-11-23T04:55:50.940Z','milestone_structure_created','goal-90d46c1f','','','{"name":"","description":""}');
INSERT INTO "events" VALUES('repo2-1c89b62c',3,'goal-90d46c1f','2026-11-23T04:55:50.940Z','milestone_file_created','active/goal-90d46c1f.yaml','','','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',4,'goal-90d46c1f','2026-11-23T04:55:50.940Z','session_started','planning-goal-90d46c1f-1795409750','','','{"mode":"planning"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',5,'goal-90d46c1f','2026-11-23T04:55:50.945Z','task_added','plan','','','{"mode":"planning","phase":"","weight":0,"standing":0,"agent_type":"project-milestone-planner"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',6,'goal-90d46c1f','2026-11-23T04:55:50.945Z','playbook_started','planning','','tasks','{"tasks":1}');
INSERT INTO "events" VALUES('repo2-1c89b62c',7,'goal-90d46c1f','2026-11-23T04:55:50.945Z','task_claimed','plan','project-milestone-planner-f171ea','tasks','{"agent_id":"project-milestone-planner-f171ea","attempt":1,"why":"everything it needs is there"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',8,'goal-90d46c1f','2026-11-23T04:55:50.976Z','agent_started','project-milestone-planner-f171ea','project-milestone-planner-f171ea','agents','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',9,'goal-90d46c1f','2026-11-23T04:55:50.976Z','agent_status','project-milestone-planner-f171ea','project-milestone-planner-f171ea','agents','{"status":"active","detail":""}');
INSERT INTO "events" VALUES('repo2-1c89b62c',10,'goal-90d46c1f','2026-11-23T04:55:50.988Z','state_saved','milestone-plan','project-milestone-planner-f171ea','state:milestone-plan','{"version":1,"bytes":1537}');
INSERT INTO "events" VALUES('repo2-1c89b62c',11,'goal-90d46c1f','2026-11-23T04:55:51.013Z','task_completed','plan','project-milestone-planner-f171ea','tasks','{"keys":{"milestone-plan":1}}');
INSERT INTO "events" VALUES('repo2-1c89b62c',12,'goal-90d46c1f','2026-11-23T04:55:51.013Z','plan_accepted','milestone-plan','project-milestone-planner-f171ea','','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',13,'goal-90d46c1f','2026-11-23T04:55:51.013Z','session_completed','planning-goal-90d46c1f-1795409750','','tasks','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',14,'goal-90d46c1f','2026-11-23T04:55:51.160Z','task_added','executor','','','{"mode":"execution","phase":"","weight":0,"standing":1,"agent_type":"project-milestone-executor"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',15,'goal-90d46c1f','2026-11-23T04:55:51.160Z','task_added','decide','','','{"mode":"execution","phase":"design","weight":7,"standing":0,"agent_type":"doc-architecture-designer"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',16,'goal-90d46c1f','2026-11-23T04:55:51.160Z','task_added','specify','','','{"mode":"execution","phase":"spec","weight":3,"standing":0,"agent_type":"doc-api-documenter"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',17,'goal-90d46c1f','2026-11-23T04:55:51.160Z','task_added','name','','','{"mode":"execution","phase":"spec","weight":5,"standing":0,"agent_type":"doc-api-documenter"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',18,'goal-90d46c1f','2026-11-23T04:55:51.160Z','task_added','build','','','{"mode":"execution","phase":"execute","weight":11,"standing":0,"agent_type":"code-transformer"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',19,'goal-90d46c1f','2026-11-23T04:55:51.160Z','task_added','ship','','','{"mode":"execution","phase":"execute","weight":13,"standing":0,"agent_type":"code-transformer"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',20,'goal-90d46c1f','2026-11-23T04:55:51.160Z','playbook_started','execution','','tasks','{"tasks":6}');
INSERT INTO "events" VALUES('repo2-1c89b62c',21,'goal-90d46c1f','2026-11-23T04:55:51.160Z','session_started','execution-goal-90d46c1f-1795409751','','','{"mode":"execution"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',22,'goal-90d46c1f','2026-11-23T04:55:51.160Z','strategy_picked','sequential','','','{"why":"2 dependencies cross between phases, 5 tasks are few and there is no deadline, so each phase builds on a completed one"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',23,'goal-90d46c1f','2026-11-23T04:55:51.160Z','state_saved','execution-state','coordinator-execution-goal-90d46c1f-1795409751','state:execution-state','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',24,'goal-90d46c1f','2026-11-23T04:55:51.160Z','state_saved','ready-for-execution','coordinator-execution-goal-90d46c1f-1795409751','state:ready-for-execution','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',25,'goal-90d46c1f','2026-11-23T04:55:51.160Z','state_saved','milestone-progress','coordinator-execution-goal-90d46c1f-1795409751','state:milestone-progress','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',26,'goal-90d46c1f','2026-11-23T04:55:51.160Z','execution_started','execution-goal-90d46c1f-1795409751','','tasks','{"session_id":"execution-goal-90d46c1f-1795409751","strategy":"adaptive","phases":{"design":{"weight":15,"percentage":0},"spec":{"weight":25,"percentage":0},"task":{"weight":20,"percentage":0},"execute":{"weight":40,"percentage":0}},"roadmap":[{"stage":"tokens","duration":"1 week","outcome":"a store"}],"estimates":{"design":1.0,"spec":2.0,"task":1.5,"execute":8.0},"repositories":[{"name":"","branch":"feature/milestone-goal-90d46c1f","base":"88a4c9206ce2b086b1e7141789d428d3052a39d8"}]}');
INSERT INTO "events" VALUES('repo2-1c89b62c',27,'goal-90d46c1f','2026-11-23T04:55:51.189Z','phase_started','design','','tasks','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',28,'goal-90d46c1f','2026-11-23T04:55:51.189Z','task_claimed','decide','doc-architecture-designer-333943','tasks','{"agent_id":"doc-architecture-designer-333943","attempt":1,"why":"everything it needs is there"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',29,'goal-90d46c1f','2026-11-23T04:55:51.189Z','state_saved','brief','doc-architecture-designer-333943','state:brief','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',30,'goal-90d46c1f','2026-11-23T04:55:51.189Z','task_claimed','executor','project-milestone-executor-bbac09','tasks','{"agent_id":"project-milestone-executor-bbac09","attempt":1,"why":"everything it needs is there"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',31,'goal-90d46c1f','2026-11-23T04:55:51.189Z','state_saved','brief','project-milestone-executor-bbac09','state:brief','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',32,'goal-90d46c1f','2026-11-23T04:55:51.206Z','agent_started','doc-architecture-designer-333943','doc-architecture-designer-333943','agents','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',33,'goal-90d46c1f','2026-11-23T04:55:51.206Z','agent_status','doc-architecture-designer-333943','doc-architecture-designer-333943','agents','{"status":"active","detail":""}');
INSERT INTO "events" VALUES('repo2-1c89b62c',34,'goal-90d46c1f','2026-11-23T04:55:51.211Z','state_saved','task-report','doc-architecture-designer-333943','state:task-report','{"version":1,"bytes":81}');
INSERT INTO "events" VALUES('repo2-1c89b62c',35,'goal-90d46c1f','2026-11-23T04:55:51.214Z','task_completed','decide','doc-architecture-designer-333943','tasks','{"keys":{"task-report":1}}');
INSERT INTO "events" VALUES('repo2-1c89b62c',36,'goal-90d46c1f','2026-11-23T04:55:51.214Z','state_saved','milestone-progress','coordinator-execution-goal-90d46c1f-1795409751','state:milestone-progress','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',37,'goal-90d46c1f','2026-11-23T04:55:51.218Z','agent_started','project-milestone-executor-bbac09','project-milestone-executor-bbac09','agents','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',38,'goal-90d46c1f','2026-11-23T04:55:51.218Z','agent_status','project-milestone-executor-bbac09','project-milestone-executor-bbac09','agents','{"status":"active","detail":""}');
INSERT INTO "events" VALUES('repo2-1c89b62c',39,'goal-90d46c1f','2026-11-23T04:55:51.222Z','state_saved','execution-brief','project-milestone-executor-bbac09','state:execution-brief','{"version":1,"bytes":52}');
INSERT INTO "events" VALUES('repo2-1c89b62c',40,'goal-90d46c1f','2026-11-23T04:55:51.226Z','task_completed','executor','project-milestone-executor-bbac09','tasks','{"keys":{"execution-brief":1}}');
INSERT INTO "events" VALUES('repo2-1c89b62c',41,'goal-90d46c1f','2026-11-23T04:55:51.226Z','state_saved','milestone-progress','coordinator-execution-goal-90d46c1f-1795409751','state:milestone-progress','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',42,'goal-90d46c1f','2026-11-23T04:55:51.238Z','phase_completed','design','','tasks','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',43,'goal-90d46c1f','2026-11-23T04:55:51.238Z','state_saved','kiro-drift','coordinator-execution-goal-90d46c1f-1795409751','state:kiro-drift','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',44,'goal-90d46c1f','2026-11-23T04:55:51.238Z','state_saved','milestone-progress','coordinator-execution-goal-90d46c1f-1795409751','state:milestone-progress','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',45,'goal-90d46c1f','2026-11-23T04:55:51.238Z','strategy_picked','sequential','','','{"why":"2 dependencies cross between phases, 5 tasks are few and there is no deadline, so each phase builds on a completed one"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',46,'goal-90d46c1f','2026-11-23T04:55:51.267Z','phase_started','spec','','tasks','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',47,'goal-90d46c1f','2026-11-23T04:55:51.267Z','task_claimed','specify','doc-api-documenter-14a1a9','tasks','{"agent_id":"doc-api-documenter-14a1a9","attempt":1,"why":"everything it needs is there"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',48,'goal-90d46c1f','2026-11-23T04:55:51.267Z','state_saved','brief','doc-api-documenter-14a1a9','state:brief','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',49,'goal-90d46c1f','2026-11-23T04:55:51.267Z','task_claimed','name','doc-api-documenter-4d68ab','tasks','{"agent_id":"doc-api-documenter-4d68ab","attempt":1,"why":"everything it needs is there"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',50,'goal-90d46c1f','2026-11-23T04:55:51.267Z','state_saved','brief','doc-api-documenter-4d68ab','state:brief','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',51,'goal-90d46c1f','2026-11-23T04:55:51.283Z','agent_started','doc-api-documenter-14a1a9','doc-api-documenter-14a1a9','agents','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',52,'goal-90d46c1f','2026-11-23T04:55:51.283Z','agent_status','doc-api-documenter-14a1a9','doc-api-documenter-14a1a9','agents','{"status":"active","detail":""}');
INSERT INTO "events" VALUES('repo2-1c89b62c',53,'goal-90d46c1f','2026-11-23T04:55:51.295Z','state_saved','task-report','doc-api-documenter-14a1a9','state:task-report','{"version":1,"bytes":81}');
INSERT INTO "events" VALUES('repo2-1c89b62c',54,'goal-90d46c1f','2026-11-23T04:55:51.311Z','task_completed','specify','doc-api-documenter-14a1a9','tasks','{"keys":{"task-report":1}}');
INSERT INTO "events" VALUES('repo2-1c89b62c',55,'goal-90d46c1f','2026-11-23T04:55:51.311Z','state_saved','milestone-progress','coordinator-execution-goal-90d46c1f-1795409751','state:milestone-progress','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',56,'goal-90d46c1f','2026-11-23T04:55:51.323Z','agent_started','doc-api-documenter-4d68ab','doc-api-documenter-4d68ab','agents','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',57,'goal-90d46c1f','2026-11-23T04:55:51.323Z','agent_status','doc-api-documenter-4d68ab','doc-api-documenter-4d68ab','agents','{"status":"active","detail":""}');
INSERT INTO "events" VALUES('repo2-1c89b62c',58,'goal-90d46c1f','2026-11-23T04:55:51.331Z','state_saved','task-report','doc-api-documenter-4d68ab','state:task-report','{"version":1,"bytes":81}');
INSERT INTO "events" VALUES('repo2-1c89b62c',59,'goal-90d46c1f','2026-11-23T04:55:51.339Z','task_completed','name','doc-api-documenter-4d68ab','tasks','{"keys":{"task-report":1}}');
INSERT INTO "events" VALUES('repo2-1c89b62c',60,'goal-90d46c1f','2026-11-23T04:55:51.339Z','state_saved','milestone-progress','coordinator-execution-goal-90d46c1f-1795409751','state:milestone-progress','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',61,'goal-90d46c1f','2026-11-23T04:55:51.359Z','phase_completed','spec','','tasks','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',62,'goal-90d46c1f','2026-11-23T04:55:51.359Z','state_saved','kiro-drift','coordinator-execution-goal-90d46c1f-1795409751','state:kiro-drift','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',63,'goal-90d46c1f','2026-11-23T04:55:51.359Z','state_saved','milestone-progress','coordinator-execution-goal-90d46c1f-1795409751','state:milestone-progress','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',64,'goal-90d46c1f','2026-11-23T04:55:51.359Z','strategy_picked','sequential','','','{"why":"2 dependencies cross between phases, 5 tasks are few and there is no deadline, so each phase builds on a completed one"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',65,'goal-90d46c1f','2026-11-23T04:55:51.367Z','phase_started','task','','tasks','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',66,'goal-90d46c1f','2026-11-23T04:55:51.380Z','phase_completed','task','','tasks','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',67,'goal-90d46c1f','2026-11-23T04:55:51.380Z','state_saved','kiro-drift','coordinator-execution-goal-90d46c1f-1795409751','state:kiro-drift','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',68,'goal-90d46c1f','2026-11-23T04:55:51.380Z','state_saved','milestone-progress','coordinator-execution-goal-90d46c1f-1795409751','state:milestone-progress','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',69,'goal-90d46c1f','2026-11-23T04:55:51.380Z','strategy_picked','sequential','','','{"why":"2 dependencies cross between phases, 5 tasks are few and there is no deadline, so each phase builds on a completed one"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',70,'goal-90d46c1f','2026-11-23T04:55:51.395Z','phase_started','execute','','tasks','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',71,'goal-90d46c1f','2026-11-23T04:55:51.395Z','task_claimed','build','code-transformer-7146c4','tasks','{"agent_id":"code-transformer-7146c4","attempt":1,"why":"everything it needs is there"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',72,'goal-90d46c1f','2026-11-23T04:55:51.395Z','state_saved','brief','code-transformer-7146c4','state:brief','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',74,'milestone-20261123-045551','2026-11-23T04:55:51.412Z','milestone_structure_created','milestone-20261123-045551','','','{"name":"Second goal — ünïcode ‘quotes’; --","description":""}');
INSERT INTO "events" VALUES('repo2-1c89b62c',75,'milestone-20261123-045551','2026-11-23T04:55:51.412Z','milestone_file_created','active/milestone-20261123-045551.yaml','','','null');
INSERT INTO "events" VALUES('repo2-1c89b62c',76,'milestone-20261123-045551','2026-11-23T04:55:51.412Z','session_started','planning-milestone-20261123-045551-1795409751','','','{"mode":"planning"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',77,'milestone-20261123-045551','2026-11-23T04:55:51.425Z','agent_registered','helper-1','helper-1','agents','{"agent_type":"helper"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',78,'milestone-20261123-045551','2026-11-23T04:55:51.435Z','agent_registered','helper-2','helper-2','agents','{"agent_type":"helper"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',79,'milestone-20261123-045551','2026-11-23T04:55:51.439Z','state_saved','notes','helper-1','state:notes','{"version":1,"bytes":115}');
INSERT INTO "events" VALUES('repo2-1c89b62c',80,'milestone-20261123-045551','2026-11-23T04:55:51.451Z','state_saved','notes','helper-1','state:notes','{"version":2,"bytes":2}');
INSERT INTO "events" VALUES('repo2-1c89b62c',81,'milestone-20261123-045551','2026-11-23T04:55:51.460Z','message_sent','helper-2','helper-1','messages','{"message_id":"msg-d09bdb92fcbc","to":"helper-2","type":"note"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',82,'milestone-20261123-045551','2026-11-23T04:55:51.475Z','message_sent','project-milestone-coordinator','helper-1','messages','{"message_id":"msg-14496a76cb30","to":"project-milestone-coordinator","type":"note"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',83,'milestone-20261123-045551','2026-11-23T04:55:51.496Z','checkpoint_created','checkpoint-65f7debbf9','','','{"scope":"agent","scope_id":"helper-1","label":"before"}');
INSERT INTO "events" VALUES('repo2-1c89b62c',84,'milestone-20261123-045551','2026-11-23T04:55:51.503Z','state_saved','other','helper-1','state:other','{"version":1,"bytes":7}');
INSERT INTO "events" VALUES('repo2-1c89b62c',85,'milestone-20261123-045551','2026-11-23T04:55:51.513Z','pattern_saved','pattern-2732baf5','helper-1','','{"category":"architectural","name":"short","expires_at":"2026-11-23T05:55:51.513Z"}');
CREATE TABLE evidence (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    detail TEXT NOT NULL,
    accepted_at TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, task_id, kind),
    FOREIGN KEY (project_id, milestone_id, task_id) REFERENCES tasks (project_id, milestone_id, task_id)
);
INSERT INTO "evidence" VALUES('repo2-1c89b62c','goal-90d46c1f','plan','keys','project-milestone-planner-f171ea','{"milestone-plan":1}','2026-11-23T04:55:51.013Z');
INSERT INTO "evidence" VALUES('repo2-1c89b62c','goal-90d46c1f','decide','keys','doc-architecture-designer-333943','{"task-report":1}','2026-11-23T04:55:51.214Z');
INSERT INTO "evidence" VALUES('repo2-1c89b62c','goal-90d46c1f','executor','keys','project-milestone-executor-bbac09','{"execution-brief":1}','2026-11-23T04:55:51.226Z');
INSERT INTO "evidence" VALUES('repo2-1c89b62c','goal-90d46c1f','specify','keys','doc-api-documenter-14a1a9','{"task-report":1}','2026-11-23T04:55:51.311Z');
INSERT INTO "evidence" VALUES('repo2-1c89b62c','goal-90d46c1f','name','keys','doc-api-documenter-4d68ab','{"task-report":1}','2026-11-23T04:55:51.339Z');
CREATE TABLE gate_runs (
    project_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    trial INTEGER NOT NULL,
    server TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    status TEXT NOT NULL,
    results TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    PRIMARY KEY (project_id, run_id),
    FOREIGN KEY (project_id, milestone_id, task_id) REFERENCES tasks (project_id, milestone_id, task_id)
);
CREATE TABLE message_receipts (
    project_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    delivered_at TEXT NOT NULL,
    read_at TEXT NOT NULL,
    acked_at TEXT NOT NULL,
    PRIMARY KEY (project_id, agent_id, message_id),
    FOREIGN KEY (project_id, message_id) REFERENCES agent_messages (project_id, message_id),
    FOREIGN KEY (project_id, agent_id) REFERENCES agent_registry (project_id, agent_id)
);
INSERT INTO "message_receipts" VALUES('repo2-1c89b62c','helper-2','msg-d09bdb92fcbc',81,'2026-11-23T04:55:51.484Z','2026-11-23T04:55:51.484Z','');
INSERT INTO "message_receipts" VALUES('repo2-1c89b62c','coordinator-planning-milestone-20261123-045551-1795409751','msg-14496a76cb30',82,'','','');
CREATE TABLE milestones (
    project_id TEXT NOT NULL REFERENCES projects (project_id),
    milestone_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    status TEXT NOT NULL,
    duration TEXT NOT NULL,
    sections TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    position BIGINT NOT NULL, strategy TEXT NOT NULL DEFAULT 'adaptive',
    PRIMARY KEY (project_id, milestone_id)
);
INSERT INTO "milestones" VALUES('repo2-1c89b62c','goal-90d46c1f','goal-90d46c1f','','active','2 weeks','{"summary":"Tokens first, then the login","decisions":[],"objectives":{"primary":"People log in with OAuth","secondary":["no passwords"],"success_criteria":["a test logs in"]},"scope":{"included":["login"],"excluded":["registration"],"constraints":["Python 3.11"]},"dependencies":{"requires":[],"blocks":[]},"tasks":[],"deliverables":[],"risks":[{"risk":"the provider changes its interface","likelihood":"low","impact":"high","mitigation":"pin its version"}],"timeline":[{"stage":"tokens","duration":"1 week","outcome":"a store"}],"estimates":{"design":1.0,"spec":2.0,"task":1.5,"execute":8.0},"team":{"owner":"current_user","contributors":[]},"adaptive":{"strategy":"sequential","why":"2 dependencies cross between phases, 5 tasks are few and there is no deadline, so each phase builds on a completed one"}}','2026-11-23T04:55:50.940Z','2026-11-23T04:55:51.380Z',72,'adaptive');
INSERT INTO "milestones" VALUES('repo2-1c89b62c','milestone-20261123-045551','Second goal — ünïcode ‘quotes’; --','Second goal — ünïcode ‘quotes’; --','planning','2 weeks','{"summary":"","decisions":[],"objectives":{"primary":"","secondary":[],"success_criteria":[]},"scope":{"included":[],"excluded":[],"constraints":[]},"dependencies":{"requires":[],"blocks":[]},"tasks":[],"deliverables":[],"risks":[],"timeline":[],"estimates":{},"team":{"owner":"current_user","contributors":[]}}','2026-11-23T04:55:51.412Z','2026-11-23T04:55:51.412Z',85,'adaptive');
CREATE TABLE patterns (
    project_id TEXT NOT NULL,
    pattern_id TEXT NOT NULL,
    category TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    use_when TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    uses INTEGER NOT NULL,
    successes INTEGER NOT NULL,
    saved_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (project_id, pattern_id)
);
INSERT INTO "patterns" VALUES('repo2-1c89b62c','pattern-2732baf5','architectural','short','{"k":"v"}','always','milestone-20261123-045551','helper-1',0,0,'2026-11-23T04:55:51.513Z','2026-11-23T05:55:51.513Z');
CREATE TABLE phases (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    status TEXT NOT NULL,
    started_at TEXT NOT NULL,
    completed_at TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, phase),
    FOREIGN KEY (project_id, milestone_id) REFERENCES milestones (project_id, milestone_id)
);
INSERT INTO "phases" VALUES('repo2-1c89b62c','goal-90d46c1f','design',0,15,'completed','2026-11-23T04:55:51.189Z','2026-11-23T04:55:51.238Z');
INSERT INTO "phases" VALUES('repo2-1c89b62c','goal-90d46c1f','spec',1,25,'completed','2026-11-23T04:55:51.267Z','2026-11-23T04:55:51.359Z');
INSERT INTO "phases" VALUES('repo2-1c89b62c','goal-90d46c1f','task',2,20,'completed','2026-11-23T04:55:51.367Z','2026-11-23T04:55:51.380Z');
INSERT INTO "phases" VALUES('repo2-1c89b62c','goal-90d46c1f','execute',3,40,'in_progress','2026-11-23T04:55:51.395Z','');
INSERT INTO "phases" VALUES('repo2-1c89b62c','milestone-20261123-045551','design',0,15,'pending','','');
INSERT INTO "phases" VALUES('repo2-1c89b62c','milestone-20261123-045551','spec',1,25,'pending','','');
INSERT INTO "phases" VALUES('repo2-1c89b62c','milestone-20261123-045551','task',2,20,'pending','','');
INSERT INTO "phases" VALUES('repo2-1c89b62c','milestone-20261123-045551','execute',3,40,'pending','','');
CREATE TABLE projects (
    project_id TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    created_at TEXT NOT NULL
);
INSERT INTO "projects" VALUES('repo2-1c89b62c',85,'2026-11-23T04:55:50.940Z');
CREATE TABLE repositories (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    branch TEXT NOT NULL,
    base_commit TEXT NOT NULL,
    gates TEXT NOT NULL,
    gates_from TEXT NOT NULL,
    pr_url TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, name),
    FOREIGN KEY (project_id, milestone_id) REFERENCES milestones (project_id, milestone_id)
);
INSERT INTO "repositories" VALUES('repo2-1c89b62c','goal-90d46c1f','','/home/person/toy','feature/milestone-goal-90d46c1f','88a4c9206ce2b086b1e7141789d428d3052a39d8','[{"name":"check","run":["sh","check.sh"],"phases":["execute"],"seconds":60}]','.milestones/config/gates.yaml at 88a4c9206ce2','');
CREATE TABLE requests (
    project_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    arguments_digest TEXT NOT NULL,
    answer TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (project_id, request_id)
);
INSERT INTO "requests" VALUES('repo2-1c89b62c','request-1','save_agent_state','0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f','{"agent_id":"helper-1","version":1}','2026-11-22T10:00:00.000Z');
CREATE TABLE sessions (
    project_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    PRIMARY KEY (project_id, session_id),
    FOREIGN KEY (project_id, milestone_id) REFERENCES milestones (project_id, milestone_id)
);
INSERT INTO "sessions" VALUES('repo2-1c89b62c','planning-goal-90d46c1f-1795409750','goal-90d46c1f','planning','completed','2026-11-23T04:55:50.940Z','2026-11-23T04:55:51.013Z');
INSERT INTO "sessions" VALUES('repo2-1c89b62c','execution-goal-90d46c1f-1795409751','goal-90d46c1f','execution','open','2026-11-23T04:55:51.160Z','');
INSERT INTO "sessions" VALUES('repo2-1c89b62c','planning-milestone-20261123-045551-1795409751','milestone-20261123-045551','planning','open','2026-11-23T04:55:51.412Z','');
CREATE TABLE task_decisions (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, task_id, decision_id),
    FOREIGN KEY (project_id, milestone_id, task_id) REFERENCES tasks (project_id, milestone_id, task_id),
    FOREIGN KEY (project_id, milestone_id, decision_id) REFERENCES decisions (project_id, milestone_id, decision_id)
);
INSERT INTO "task_decisions" VALUES('repo2-1c89b62c','goal-90d46c1f','decide','d-1');
INSERT INTO "task_decisions" VALUES('repo2-1c89b62c','goal-90d46c1f','specify','d-1');
INSERT INTO "task_decisions" VALUES('repo2-1c89b62c','goal-90d46c1f','name','d-1');
INSERT INTO "task_decisions" VALUES('repo2-1c89b62c','goal-90d46c1f','build','d-1');
INSERT INTO "task_decisions" VALUES('repo2-1c89b62c','goal-90d46c1f','ship','d-1');
CREATE TABLE "task_dependencies" (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    needs_task TEXT NOT NULL,
    needs_key TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, task_id, needs_task, needs_key),
    FOREIGN KEY (project_id, milestone_id, task_id) REFERENCES tasks (project_id, milestone_id, task_id),
    FOREIGN KEY (project_id, milestone_id, needs_task) REFERENCES tasks (project_id, milestone_id, task_id)
);
INSERT INTO "task_dependencies" VALUES('repo2-1c89b62c','goal-90d46c1f','specify','decide','task-report');
INSERT INTO "task_dependencies" VALUES('repo2-1c89b62c','goal-90d46c1f','build','specify','task-report');
INSERT INTO "task_dependencies" VALUES('repo2-1c89b62c','goal-90d46c1f','ship','build','task-report');
CREATE TABLE tasks (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    mode TEXT NOT NULL,
    agent_type TEXT NOT NULL,
    title TEXT NOT NULL,
    phase TEXT NOT NULL,
    weight INTEGER NOT NULL,
    produces TEXT NOT NULL,
    critical INTEGER NOT NULL,
    time_limit INTEGER NOT NULL,
    status TEXT NOT NULL,
    detail TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    completed_at TEXT NOT NULL, unmet INTEGER NOT NULL DEFAULT 0, standing INTEGER NOT NULL DEFAULT 0, source TEXT NOT NULL DEFAULT 'playbook', subject TEXT NOT NULL DEFAULT '', proof TEXT NOT NULL DEFAULT '[]', paths TEXT NOT NULL DEFAULT '[]', acceptance TEXT NOT NULL DEFAULT '[]', repository TEXT NOT NULL DEFAULT '', next_role TEXT NOT NULL DEFAULT '', last INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, milestone_id, task_id),
    FOREIGN KEY (project_id, milestone_id) REFERENCES milestones (project_id, milestone_id)
);
INSERT INTO "tasks" VALUES('repo2-1c89b62c','goal-90d46c1f','plan',0,'planning','project-milestone-planner','Decide and plan','',0,'["milestone-plan"]',1,1800,'completed','',1,'2026-11-23T04:55:51.013Z',0,0,'playbook','','[]','[]','[]','','',0);
INSERT INTO "tasks" VALUES('repo2-1c89b62c','goal-90d46c1f','executor',0,'execution','project-milestone-executor','Tell each phase what matters','',0,'["execution-brief"]',0,1800,'completed','',1,'2026-11-23T04:55:51.226Z',0,1,'playbook','','[]','[]','[]','','',0);
INSERT INTO "tasks" VALUES('repo2-1c89b62c','goal-90d46c1f','decide',1,'execution','doc-architecture-designer','Carry out decide','design',7,'["task-report"]',1,1800,'completed','',1,'2026-11-23T04:55:51.214Z',0,0,'plan','decide','[]','[]','["python -m unittest exits 0"]','','',0);
INSERT INTO "tasks" VALUES('repo2-1c89b62c','goal-90d46c1f','specify',2,'execution','doc-api-documenter','Carry out specify','spec',3,'["task-report"]',1,1800,'completed','',1,'2026-11-23T04:55:51.311Z',0,0,'plan','specify','[]','[]','["python -m unittest exits 0"]','','',0);
INSERT INTO "tasks" VALUES('repo2-1c89b62c','goal-90d46c1f','name',3,'execution','doc-api-documenter','Carry out name','spec',5,'["task-report"]',1,1800,'completed','',1,'2026-11-23T04:55:51.339Z',0,0,'plan','name','[]','[]','["python -m unittest exits 0"]','','',0);
INSERT INTO "tasks" VALUES('repo2-1c89b62c','goal-90d46c1f','build',4,'execution','code-transformer','Carry out build','execute',11,'["task-report"]',1,1800,'claimed','',1,'',0,0,'plan','build','["commit","gates","review"]','["app/"]','["python -m unittest exits 0"]','','',0);
INSERT INTO "tasks" VALUES('repo2-1c89b62c','goal-90d46c1f','ship',5,'execution','code-transformer','Carry out ship','execute',13,'["task-report"]',1,1800,'pending','',0,'',1,0,'plan','ship','["review"]','[]','["python -m unittest exits 0"]','','',0);
CREATE UNIQUE INDEX sessions_open ON sessions (project_id, milestone_id, mode) WHERE status = 'open';
CREATE INDEX agent_registry_session ON agent_registry (project_id, session_id);
CREATE INDEX agent_registry_type ON agent_registry (project_id, milestone_id, agent_type);
CREATE UNIQUE INDEX agent_registry_host ON agent_registry (project_id, host_session, host_agent) WHERE host_session <> '';
CREATE INDEX agent_registry_token ON agent_registry (project_id, token_digest) WHERE token_digest <> '';
CREATE INDEX agent_state_key ON agent_state (project_id, milestone_id, key, position);
CREATE INDEX agent_messages_recipient ON agent_messages (project_id, milestone_id, recipient);
CREATE INDEX message_receipts_unread ON message_receipts (project_id, agent_id, position) WHERE read_at = '';
CREATE UNIQUE INDEX claims_open ON claims (project_id, milestone_id, task_id) WHERE ended_at = '';
CREATE INDEX claims_agent ON claims (project_id, agent_id);
CREATE INDEX events_milestone ON events (project_id, milestone_id, position);
CREATE INDEX task_dependencies_needed ON task_dependencies (project_id, milestone_id, needs_task);
CREATE INDEX tasks_ready ON tasks (project_id, milestone_id, mode, phase, standing, ordinal) WHERE unmet = 0 AND status IN ('pending', 'ready');
CREATE INDEX tasks_unfinished ON tasks (project_id, milestone_id, mode, standing, phase) WHERE status NOT IN ('completed', 'skipped');
CREATE INDEX tasks_order ON tasks (project_id, milestone_id, mode, ordinal);
CREATE INDEX tasks_status ON tasks (project_id, milestone_id, mode, status, ordinal);
CREATE INDEX gate_runs_task ON gate_runs (project_id, milestone_id, task_id, started_at);
CREATE INDEX patterns_fresh ON patterns (project_id, category, expires_at);
CREATE UNIQUE INDEX patterns_name ON patterns (project_id, category, name);
COMMIT;
