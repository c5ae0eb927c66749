PRAGMA user_version=1;
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
INSERT INTO "agent_checkpoints" VALUES('repo1-3372611d','checkpoint-374450857e','agent','helper-1','before',44,'2026-11-23T04:55:46.090Z');
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
INSERT INTO "agent_messages" VALUES('repo1-3372611d',42,'msg-4abdbd12210f','milestone-20261123-045546','helper-1','helper-2','note','{"a":1}','','2026-11-23T04:55:46.076Z');
INSERT INTO "agent_messages" VALUES('repo1-3372611d',43,'msg-a11a31148015','milestone-20261123-045546','helper-1','project-milestone-coordinator','note','"waits"','','2026-11-23T04:55:46.079Z');
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
INSERT INTO "agent_registry" VALUES('repo1-3372611d','coordinator-planning-milestone-20261123-045544-1795409744','project-milestone-coordinator','milestone-20261123-045544','planning-milestone-20261123-045544-1795409744','["planning","execution","coordination"]','completed','',0,'','','','2026-11-23T04:55:44.295Z','2026-11-23T04:55:44.744Z','2026-11-23T04:55:44.744Z');
INSERT INTO "agent_registry" VALUES('repo1-3372611d','infra-context-discovery-1b7990','infra-context-discovery','milestone-20261123-045544','planning-milestone-20261123-045544-1795409744','[]','completed','',0,'9747ee7232d204e7076ad3b6cbcedded','','','2026-11-23T04:55:44.426Z','2026-11-23T04:55:44.515Z','2026-11-23T04:55:44.515Z');
INSERT INTO "agent_registry" VALUES('repo1-3372611d','research-orchestrator-a996b8','research-orchestrator','milestone-20261123-045544','planning-milestone-20261123-045544-1795409744','[]','completed','',0,'162b7ddbdf556aa7ebc7b8185d98dade','','','2026-11-23T04:55:44.426Z','2026-11-23T04:55:44.511Z','2026-11-23T04:55:44.511Z');
INSERT INTO "agent_registry" VALUES('repo1-3372611d','infra-dependency-manager-3aea09','infra-dependency-manager','milestone-20261123-045544','planning-milestone-20261123-045544-1795409744','[]','completed','',0,'702061df62e2f76f5c33597a1dd1dca5','','','2026-11-23T04:55:44.426Z','2026-11-23T04:55:44.523Z','2026-11-23T04:55:44.523Z');
INSERT INTO "agent_registry" VALUES('repo1-3372611d','project-milestone-planner-0de811','project-milestone-planner','milestone-20261123-045544','planning-milestone-20261123-045544-1795409744','[]','completed','',0,'7c7973df940c109f59fffe0ecc2217e7','','','2026-11-23T04:55:44.569Z','2026-11-23T04:55:44.632Z','2026-11-23T04:55:44.632Z');
INSERT INTO "agent_registry" VALUES('repo1-3372611d','doc-architecture-designer-fb103e','doc-architecture-designer','milestone-20261123-045544','planning-milestone-20261123-045544-1795409744','[]','completed','',0,'c83e8e19f56c5e56de252ed23cd9f5ee','','','2026-11-23T04:55:44.688Z','2026-11-23T04:55:44.744Z','2026-11-23T04:55:44.744Z');
INSERT INTO "agent_registry" VALUES('repo1-3372611d','coordinator-planning-milestone-20261123-045546-1795409746','project-milestone-coordinator','milestone-20261123-045546','planning-milestone-20261123-045546-1795409746','["planning","execution","coordination"]','active','',0,'','','','2026-11-23T04:55:46.020Z','2026-11-23T04:55:46.020Z','');
INSERT INTO "agent_registry" VALUES('repo1-3372611d','helper-1','helper','milestone-20261123-045546','planning-milestone-20261123-045546-1795409746','[]','active','',0,'','','','2026-11-23T04:55:46.044Z','2026-11-23T04:55:46.044Z','');
INSERT INTO "agent_registry" VALUES('repo1-3372611d','helper-2','helper','milestone-20261123-045546','planning-milestone-20261123-045546-1795409746','[]','active','',0,'','','','2026-11-23T04:55:46.062Z','2026-11-23T04:55:46.062Z','');
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
INSERT INTO "agent_state" VALUES('repo1-3372611d','research-orchestrator-a996b8','planning-research',1,15,'milestone-20261123-045544','{"summary":"No research was done: this is a rehearsal without a model, and a rule cannot weigh what others do.","practices":[],"options":[],"recommendation":"Have a model or a person do the research before this plan is carried out.","actions":["Do the research: practices, options and comparable projects, every source named."],"candidates":[],"sources":[],"not_checked":["Best practices for the goal were not looked up.","Architectural options were not compared.","No similar implementation was read, and no source was asked."]}',1,'2026-11-23T04:55:44.495Z');
INSERT INTO "agent_state" VALUES('repo1-3372611d','infra-context-discovery-1b7990','planning-scope',1,16,'milestone-20261123-045544','{"summary":"repo1: 1 file named by Git, mostly Python; 1 part with code, 0 of them reached by 0 test files.","languages":["Python: 1 file, 2 lines"],"parts":[{"name":".","purpose":"The files at the top: 1 Python file (2 lines).","places":[{"file":"app.py","line":1}]}],"patterns":[],"capabilities":[],"constraints":[],"candidates":[{"kind":"improve","what":"Give the code at the top tests","reason":"No test lies in it and no test names it; 1 file of code.","places":[{"file":"app.py","line":1}]},{"kind":"originate","what":"Write a licence","reason":"No LICENSE or COPYING lies at the top, so nobody may use it.","places":[]},{"kind":"originate","what":"Write a README","reason":"No README lies at the top, so a stranger cannot start.","places":[]},{"kind":"originate","what":"Write tests","reason":"There is code, and no file is named like a test.","places":[]},{"kind":"originate","what":"Write continuous integration","reason":"There is code, and nothing that checks each change.","places":[]}],"unknowns":["What the code means, and whether it is good, was not judged: names, counts and bytes were compared."]}',1,'2026-11-23T04:55:44.503Z');
INSERT INTO "agent_state" VALUES('repo1-3372611d','infra-dependency-manager-3aea09','planning-dependencies',1,17,'milestone-20261123-045544','{"summary":"No manifest was found, so no dependency is declared where it could be read. Nothing was looked up.","manifests":[],"dependencies":[],"troubles":[],"candidates":[],"not_checked":["No vulnerability database was asked: whether a dependency is vulnerable is not known.","No package registry was asked: whether a dependency is outdated, unmaintained or exists at all is not known.","Lock files were not read, so what is really installed is not known.","The licences of the dependencies were not looked up."]}',1,'2026-11-23T04:55:44.504Z');
INSERT INTO "agent_state" VALUES('repo1-3372611d','project-milestone-planner-0de811','milestone-plan',1,24,'milestone-20261123-045544','{"summary":"A plan made by rule, without a model: 0 to keep, 1 to improve, 0 to remove, 4 to originate. Hours are rules of thumb.","objectives":{"primary":"Act on what was found by rule: 0 to keep, 1 to improve, 0 to remove, 4 to originate.","secondary":["Have somebody who understands the code judge each decision before it is carried out."],"success_criteria":["For each decision to improve: a check that failed before the change passes after it.","For each decision to originate: what was missing is there, and a check fails without it.","Everything that is kept still passes its tests."]},"scope":{"included":["Give the code at the top tests","Write a licence","Write a README","Write tests","Write continuous integration"],"excluded":["Whatever needs an understanding of the code, or research: neither was part of this rehearsal."],"constraints":[]},"decisions":[{"id":"i1","kind":"improve","what":"Give the code at the top tests","reason":"No test lies in it and no test names it; 1 file of code.","source":"scope","places":[{"file":"app.py","line":1}]},{"id":"o1","kind":"originate","what":"Write a licence","reason":"No LICENSE or COPYING lies at the top, so nobody may use it.","source":"scope","places":[]},{"id":"o2","kind":"originate","what":"Write a README","reason":"No README lies at the top, so a stranger cannot start.","source":"scope","places":[]},{"id":"o3","kind":"originate","what":"Write tests","reason":"There is code, and no file is named like a test.","source":"scope","places":[]},{"id":"o4","kind":"originate","what":"Write continuous integration","reason":"There is code, and nothing that checks each change.","source":"scope","places":[]}],"tasks":[{"id":"design-bounds","title":"Settle what is kept and where its boundaries run","phase":"design","weight":20,"depends_on":[],"paths":[],"evidence":["design_decisions.md names every decision this task serves"],"decisions":["i1","o1","o2","o3","o4"]},{"id":"design-approach","title":"Choose an approach for each change","phase":"design","weight":20,"depends_on":[],"paths":[],"evidence":["design_decisions.md names every decision this task serves"],"decisions":["i1","o1","o2","o3","o4"]},{"id":"spec-contracts","title":"Write the contracts of the kept parts that changes touch","phase":"spec","weight":20,"depends_on":["design-bounds"],"paths":[],"evidence":["technical_specs.md names every decision this task serves"],"decisions":["i1","o1","o2","o3","o4"]},{"id":"spec-acceptance","title":"Write for each change the check that will accept it","phase":"spec","weight":20,"depends_on":["design-approach"],"paths":[],"evidence":["technical_specs.md names every decision this task serves"],"decisions":["i1","o1","o2","o3","o4"]},{"id":"task-order","title":"Put the changes in order and name the files of each","phase":"task","weight":20,"depends_on":["spec-contracts","spec-acceptance"],"paths":[],"evidence":["execution_roadmap.md names every decision this task serves"],"decisions":["i1","o1","o2","o3","o4"]},{"id":"execute-i1","title":"Give the code at the top tests","phase":"execute","weight":20,"depends_on":["task-order"],"paths":["app.py"],"evidence":["a check that failed before the change passes after it"],"decisions":["i1"]},{"id":"execute-o1","title":"Write a licence","phase":"execute","weight":40,"depends_on":["task-order"],"paths":[],"evidence":["what was missing is there, and a check fails without it"],"decisions":["o1"]},{"id":"execute-o2","title":"Write a README","phase":"execute","weight":40,"depends_on":["task-order"],"paths":[],"evidence":["what was missing is there, and a check fails without it"],"decisions":["o2"]},{"id":"execute-o3","title":"Write tests","phase":"execute","weight":40,"depends_on":["task-order"],"paths":[],"evidence":["what was missing is there, and a check fails without it"],"decisions":["o3"]},{"id":"execute-o4","title":"Write continuous integration","phase":"execute","weight":40,"depends_on":["task-order"],"paths":[],"evidence":["what was missing is there, and a check fails without it"],"decisions":["o4"]},{"id":"execute-verify","title":"Show that everything kept still works","phase":"execute","weight":20,"depends_on":["execute-i1","execute-o1","execute-o2","execute-o3","execute-o4"],"paths":[],"evidence":["the tests that were green before are green after it"],"decisions":["i1","o1","o2","o3","o4"]}],"estimates":{"design":7.0,"spec":11.0,"task":9.0,"execute":18.0},"timeline":[{"stage":"design","duration":"about 7 h","outcome":"the approach to each decision is settled"},{"stage":"spec","duration":"about 11 h","outcome":"contracts and acceptance checks are written"},{"stage":"task","duration":"about 9 h","outcome":"the changes are ordered"},{"stage":"execute","duration":"about 18 h","outcome":"the changes are made and proven"}],"risks":[{"risk":"Decisions follow by rule, not from understanding","likelihood":"high","impact":"high","mitigation":"Let somebody judge each."},{"risk":"The plan rests on no research","likelihood":"high","impact":"high","mitigation":"Have a model or a person do the research before this plan is carried out."},{"risk":"1 part without tests may break unseen","likelihood":"medium","impact":"high","mitigation":"Write the tests first."}],"dependencies":{"requires":[],"blocks":[]}}',1,'2026-11-23T04:55:44.618Z');
INSERT INTO "agent_state" VALUES('repo1-3372611d','doc-architecture-designer-fb103e','planning-documentation',1,30,'milestone-20261123-045544','{"summary":"5 decisions and 3 risks are recorded. Written by stand-ins in a rehearsal: no model was used, and nothing here was judged by anybody.","records":[{"decision":"i1","title":"Give the code at the top tests","context":"No test lies in it and no test names it; 1 file of code. (found by the scope stand-in)","choice":"improve","consequences":["Served by design-bounds, design-approach, spec-contracts, spec-acceptance, task-order, execute-i1, execute-verify."]},{"decision":"o1","title":"Write a licence","context":"No LICENSE or COPYING lies at the top, so nobody may use it. (found by the scope stand-in)","choice":"originate","consequences":["Served by design-bounds, design-approach, spec-contracts, spec-acceptance, task-order, execute-o1, execute-verify."]},{"decision":"o2","title":"Write a README","context":"No README lies at the top, so a stranger cannot start. (found by the scope stand-in)","choice":"originate","consequences":["Served by design-bounds, design-approach, spec-contracts, spec-acceptance, task-order, execute-o2, execute-verify."]},{"decision":"o3","title":"Write tests","context":"There is code, and no file is named like a test. (found by the scope stand-in)","choice":"originate","consequences":["Served by design-bounds, design-approach, spec-contracts, spec-acceptance, task-order, execute-o3, execute-verify."]},{"decision":"o4","title":"Write continuous integration","context":"There is code, and nothing that checks each change. (found by the scope stand-in)","choice":"originate","consequences":["Served by design-bounds, design-approach, spec-contracts, spec-acceptance, task-order, execute-o4, execute-verify."]}],"risks":[{"risk":"Decisions follow by rule, not from understanding","likelihood":"high","impact":"high","mitigation":"Let somebody judge each."},{"risk":"The plan rests on no research","likelihood":"high","impact":"high","mitigation":"Have a model or a person do the research before this plan is carried out."},{"risk":"1 part without tests may break unseen","likelihood":"medium","impact":"high","mitigation":"Write the tests first."}],"files":[{"name":"decision_record.md","title":"Decision record","content":"# Decision record\n\nWritten by stand-ins in a rehearsal: no model was used, and nothing here was judged by anybody.\n\nrepo1: 1 file named by Git, mostly Python; 1 part with code, 0 of them reached by 0 test files.\n\nA plan made by rule, without a model: 0 to keep, 1 to improve, 0 to remove, 4 to originate. Hours are rules of thumb.\n\n## i1: Give the code at the top tests\n\n- Choice: improve\n- Reason: No test lies in it and no test names it; 1 file of code. (found by the scope stand-in)\n- Place: `app.py:1`\n- Served by design-bounds, design-approach, spec-contracts, spec-acceptance, task-order, execute-i1, execute-verify.\n\n## o1: Write a licence\n\n- Choice: originate\n- Reason: No LICENSE or COPYING lies at the top, so nobody may use it. (found by the scope stand-in)\n- Served by design-bounds, design-approach, spec-contracts, spec-acceptance, task-order, execute-o1, execute-verify.\n\n## o2: Write a README\n\n- Choice: originate\n- Reason: No README lies at the top, so a stranger cannot start. (found by the scope stand-in)\n- Served by design-bounds, design-approach, spec-contracts, spec-acceptance, task-order, execute-o2, execute-verify.\n\n## o3: Write tests\n\n- Choice: originate\n- Reason: There is code, and no file is named like a test. (found by the scope stand-in)\n- Served by design-bounds, design-approach, spec-contracts, spec-acceptance, task-order, execute-o3, execute-verify.\n\n## o4: Write continuous integration\n\n- Choice: originate\n- Reason: There is code, and nothing that checks each change. (found by the scope stand-in)\n- Served by design-bounds, design-approach, spec-contracts, spec-acceptance, task-order, execute-o4, execute-verify.\n"},{"name":"risks.md","title":"Risks","content":"# Risks\n\nWritten by stand-ins in a rehearsal: no model was used, and nothing here was judged by anybody.\n\n| risk | likelihood | impact | what is done about it |\n| --- | --- | --- | --- |\n| Decisions follow by rule, not from understanding | high | high | Let somebody judge each. |\n| The plan rests on no research | high | high | Have a model or a person do the research before this plan is carried out. |\n| 1 part without tests may break unseen | medium | high | Write the tests first. |\n\n## Not checked\n\n- Best practices for the goal were not looked up.\n- Architectural options were not compared.\n- No similar implementation was read, and no source was asked.\n- No vulnerability database was asked: whether a dependency is vulnerable is not known.\n- No package registry was asked: whether a dependency is outdated, unmaintained or exists at all is not known.\n- Lock files were not read, so what is really installed is not known.\n- The licences of the dependencies were not looked up.\n"},{"name":"task_graph.md","title":"Task graph","content":"# Task graph\n\nWritten by stand-ins in a rehearsal: no model was used, and nothing here was judged by anybody.\n\n```mermaid\nflowchart LR\n  subgraph design-phase [design]\n    design-bounds[\"Settle what is kept and where its boundaries run\"]\n    design-approach[\"Choose an approach for each change\"]\n  end\n  subgraph spec-phase [spec]\n    spec-contracts[\"Write the contracts of the kept parts that changes touch\"]\n    spec-acceptance[\"Write for each change the check that will accept it\"]\n  end\n  subgraph task-phase [task]\n    task-order[\"Put the changes in order and name the files of each\"]\n  end\n  subgraph execute-phase [execute]\n    execute-i1[\"Give the code at the top tests\"]\n    execute-o1[\"Write a licence\"]\n    execute-o2[\"Write a README\"]\n    execute-o3[\"Write tests\"]\n    execute-o4[\"Write continuous integration\"]\n    execute-verify[\"Show that everything kept still works\"]\n  end\n  design-bounds --> spec-contracts\n  design-approach --> spec-acceptance\n  spec-contracts --> task-order\n  spec-acceptance --> task-order\n  task-order --> execute-i1\n  task-order --> execute-o1\n  task-order --> execute-o2\n  task-order --> execute-o3\n  task-order --> execute-o4\n  execute-i1 --> execute-verify\n  execute-o1 --> execute-verify\n  execute-o2 --> execute-verify\n  execute-o3 --> execute-verify\n  execute-o4 --> execute-verify\n```\n"}]}',1,'2026-11-23T04:55:44.732Z');
INSERT INTO "agent_state" VALUES('repo1-3372611d','doc-architecture-designer-fb103e','planning-complete',1,31,'milestone-20261123-045544','true',1,'2026-11-23T04:55:44.738Z');
INSERT INTO "agent_state" VALUES('repo1-3372611d','helper-1','notes',1,40,'milestone-20261123-045546','{"text":"it''s \"quoted\"; DROP TABLE tasks; \t\n 🎉","n":1.5e+300,"big":9007199254740992,"none":null,"list":[[],{}]}',1,'2026-11-23T04:55:46.067Z');
INSERT INTO "agent_state" VALUES('repo1-3372611d','helper-1','notes',2,41,'milestone-20261123-045546','""',1,'2026-11-23T04:55:46.070Z');
INSERT INTO "agent_state" VALUES('repo1-3372611d','helper-1','other',1,45,'milestone-20261123-045546','[1,2,3]',1,'2026-11-23T04:55:46.092Z');
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
    reminders INTEGER NOT NULL,
    PRIMARY KEY (project_id, milestone_id, task_id, attempt),
    FOREIGN KEY (project_id, milestone_id, task_id) REFERENCES tasks (project_id, milestone_id, task_id),
    FOREIGN KEY (project_id, agent_id) REFERENCES agent_registry (project_id, agent_id)
);
INSERT INTO "claims" VALUES('repo1-3372611d','milestone-20261123-045544','scope',1,'infra-context-discovery-1b7990','ebba0f817fd4.11297-e0b1a4fe','2026-11-23T04:55:44.426Z','2026-11-23T04:55:44.475Z','2026-11-23T04:55:44.515Z','completed',0);
INSERT INTO "claims" VALUES('repo1-3372611d','milestone-20261123-045544','research',1,'research-orchestrator-a996b8','ebba0f817fd4.11297-e0b1a4fe','2026-11-23T04:55:44.426Z','2026-11-23T04:55:44.479Z','2026-11-23T04:55:44.511Z','completed',0);
INSERT INTO "claims" VALUES('repo1-3372611d','milestone-20261123-045544','dependencies',1,'infra-dependency-manager-3aea09','ebba0f817fd4.11297-e0b1a4fe','2026-11-23T04:55:44.426Z','2026-11-23T04:55:44.483Z','2026-11-23T04:55:44.523Z','completed',0);
INSERT INTO "claims" VALUES('repo1-3372611d','milestone-20261123-045544','plan',1,'project-milestone-planner-0de811','ebba0f817fd4.11297-e0b1a4fe','2026-11-23T04:55:44.569Z','2026-11-23T04:55:44.587Z','2026-11-23T04:55:44.632Z','completed',0);
INSERT INTO "claims" VALUES('repo1-3372611d','milestone-20261123-045544','record',1,'doc-architecture-designer-fb103e','ebba0f817fd4.11297-e0b1a4fe','2026-11-23T04:55:44.688Z','2026-11-23T04:55:44.700Z','2026-11-23T04:55:44.744Z','completed',0);
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
INSERT INTO "events" VALUES('repo1-3372611d',2,'milestone-20261123-045544','2026-11-23T04:55:44.295Z','milestone_structure_created','milestone-20261123-045544','','','{"name":"First goal","description":"A rehearsal without a model: stand-ins list and compare, and all they save follows by rule."}');
INSERT INTO "events" VALUES('repo1-3372611d',3,'milestone-20261123-045544','2026-11-23T04:55:44.295Z','milestone_file_created','active/milestone-20261123-045544.yaml','','','null');
INSERT INTO "events" VALUES('repo1-3372611d',4,'milestone-20261123-045544','2026-11-23T04:55:44.295Z','session_started','planning-milestone-20261123-045544-1795409744','','','{"mode":"planning"}');
INSERT INTO "events" VALUES('repo1-3372611d',5,'milestone-20261123-045544','2026-11-23T04:55:44.426Z','playbook_started','planning','','tasks','{"tasks":["scope","research","dependencies","plan","record"]}');
INSERT INTO "events" VALUES('repo1-3372611d',6,'milestone-20261123-045544','2026-11-23T04:55:44.426Z','task_claimed','scope','infra-context-discovery-1b7990','tasks','{"agent_id":"infra-context-discovery-1b7990","attempt":1,"why":"everything it needs is there"}');
INSERT INTO "events" VALUES('repo1-3372611d',7,'milestone-20261123-045544','2026-11-23T04:55:44.426Z','task_claimed','research','research-orchestrator-a996b8','tasks','{"agent_id":"research-orchestrator-a996b8","attempt":1,"why":"everything it needs is there"}');
INSERT INTO "events" VALUES('repo1-3372611d',8,'milestone-20261123-045544','2026-11-23T04:55:44.426Z','task_claimed','dependencies','infra-dependency-manager-3aea09','tasks','{"agent_id":"infra-dependency-manager-3aea09","attempt":1,"why":"everything it needs is there"}');
INSERT INTO "events" VALUES('repo1-3372611d',9,'milestone-20261123-045544','2026-11-23T04:55:44.475Z','agent_started','infra-context-discovery-1b7990','infra-context-discovery-1b7990','agents','null');
INSERT INTO "events" VALUES('repo1-3372611d',10,'milestone-20261123-045544','2026-11-23T04:55:44.475Z','agent_status','infra-context-discovery-1b7990','infra-context-discovery-1b7990','agents','{"status":"active","detail":""}');
INSERT INTO "events" VALUES('repo1-3372611d',11,'milestone-20261123-045544','2026-11-23T04:55:44.479Z','agent_started','research-orchestrator-a996b8','research-orchestrator-a996b8','agents','null');
INSERT INTO "events" VALUES('repo1-3372611d',12,'milestone-20261123-045544','2026-11-23T04:55:44.479Z','agent_status','research-orchestrator-a996b8','research-orchestrator-a996b8','agents','{"status":"active","detail":""}');
INSERT INTO "events" VALUES('repo1-3372611d',13,'milestone-20261123-045544','2026-11-23T04:55:44.483Z','agent_started','infra-dependency-manager-3aea09','infra-dependency-manager-3aea09','agents','null');
INSERT INTO "events" VALUES('repo1-3372611d',14,'milestone-20261123-045544','2026-11-23T04:55:44.483Z','agent_status','infra-dependency-manager-3aea09','infra-dependency-manager-3aea09','agents','{"status":"active","detail":""}');
INSERT INTO "events" VALUES('repo1-3372611d',15,'milestone-20261123-045544','2026-11-23T04:55:44.495Z','state_saved','planning-research','research-orchestrator-a996b8','state:planning-research','{"version":1,"bytes":529}');
INSERT INTO "events" VALUES('repo1-3372611d',16,'milestone-20261123-045544','2026-11-23T04:55:44.503Z','state_saved','planning-scope','infra-context-discovery-1b7990','state:planning-scope','{"version":1,"bytes":1114}');
INSERT INTO "events" VALUES('repo1-3372611d',17,'milestone-20261123-045544','2026-11-23T04:55:44.504Z','state_saved','planning-dependencies','infra-dependency-manager-3aea09','state:planning-dependencies','{"version":1,"bytes":515}');
INSERT INTO "events" VALUES('repo1-3372611d',18,'milestone-20261123-045544','2026-11-23T04:55:44.511Z','task_completed','research','research-orchestrator-a996b8','tasks','{"keys":{"planning-research":1}}');
INSERT INTO "events" VALUES('repo1-3372611d',19,'milestone-20261123-045544','2026-11-23T04:55:44.515Z','task_completed','scope','infra-context-discovery-1b7990','tasks','{"keys":{"planning-scope":1}}');
INSERT INTO "events" VALUES('repo1-3372611d',20,'milestone-20261123-045544','2026-11-23T04:55:44.523Z','task_completed','dependencies','infra-dependency-manager-3aea09','tasks','{"keys":{"planning-dependencies":1}}');
INSERT INTO "events" VALUES('repo1-3372611d',21,'milestone-20261123-045544','2026-11-23T04:55:44.569Z','task_claimed','plan','project-milestone-planner-0de811','tasks','{"agent_id":"project-milestone-planner-0de811","attempt":1,"why":"everything it needs is there"}');
INSERT INTO "events" VALUES('repo1-3372611d',22,'milestone-20261123-045544','2026-11-23T04:55:44.587Z','agent_started','project-milestone-planner-0de811','project-milestone-planner-0de811','agents','null');
INSERT INTO "events" VALUES('repo1-3372611d',23,'milestone-20261123-045544','2026-11-23T04:55:44.587Z','agent_status','project-milestone-planner-0de811','project-milestone-planner-0de811','agents','{"status":"active","detail":""}');
INSERT INTO "events" VALUES('repo1-3372611d',24,'milestone-20261123-045544','2026-11-23T04:55:44.618Z','state_saved','milestone-plan','project-milestone-planner-0de811','state:milestone-plan','{"version":1,"bytes":5258}');
INSERT INTO "events" VALUES('repo1-3372611d',25,'milestone-20261123-045544','2026-11-23T04:55:44.632Z','task_completed','plan','project-milestone-planner-0de811','tasks','{"keys":{"milestone-plan":1}}');
INSERT INTO "events" VALUES('repo1-3372611d',26,'milestone-20261123-045544','2026-11-23T04:55:44.632Z','plan_accepted','milestone-plan','project-milestone-planner-0de811','','null');
INSERT INTO "events" VALUES('repo1-3372611d',27,'milestone-20261123-045544','2026-11-23T04:55:44.688Z','task_claimed','record','doc-architecture-designer-fb103e','tasks','{"agent_id":"doc-architecture-designer-fb103e","attempt":1,"why":"everything it needs is there"}');
INSERT INTO "events" VALUES('repo1-3372611d',28,'milestone-20261123-045544','2026-11-23T04:55:44.700Z','agent_started','doc-architecture-designer-fb103e','doc-architecture-designer-fb103e','agents','null');
INSERT INTO "events" VALUES('repo1-3372611d',29,'milestone-20261123-045544','2026-11-23T04:55:44.700Z','agent_status','doc-architecture-designer-fb103e','doc-architecture-designer-fb103e','agents','{"status":"active","detail":""}');
INSERT INTO "events" VALUES('repo1-3372611d',30,'milestone-20261123-045544','2026-11-23T04:55:44.732Z','state_saved','planning-documentation','doc-architecture-designer-fb103e','state:planning-documentation','{"version":1,"bytes":6375}');
INSERT INTO "events" VALUES('repo1-3372611d',31,'milestone-20261123-045544','2026-11-23T04:55:44.738Z','state_saved','planning-complete','doc-architecture-designer-fb103e','state:planning-complete','{"version":1,"bytes":4}');
INSERT INTO "events" VALUES('repo1-3372611d',32,'milestone-20261123-045544','2026-11-23T04:55:44.744Z','task_completed','record','doc-architecture-designer-fb103e','tasks','{"keys":{"planning-documentation":1,"planning-complete":1}}');
INSERT INTO "events" VALUES('repo1-3372611d',33,'milestone-20261123-045544','2026-11-23T04:55:44.744Z','session_completed','planning-milestone-20261123-045544-1795409744','','tasks','null');
INSERT INTO "events" VALUES('repo1-3372611d',35,'milestone-20261123-045546','2026-11-23T04:55:46.020Z','milestone_structure_created','milestone-20261123-045546','','','{"name":"Second goal — ünïcode ‘quotes’; --","description":""}');
INSERT INTO "events" VALUES('repo1-3372611d',36,'milestone-20261123-045546','2026-11-23T04:55:46.020Z','milestone_file_created','active/milestone-20261123-045546.yaml','','','null');
INSERT INTO "events" VALUES('repo1-3372611d',37,'milestone-20261123-045546','2026-11-23T04:55:46.020Z','session_started','planning-milestone-20261123-045546-1795409746','','','{"mode":"planning"}');
INSERT INTO "events" VALUES('repo1-3372611d',38,'milestone-20261123-045546','2026-11-23T04:55:46.044Z','agent_registered','helper-1','helper-1','agents','{"agent_type":"helper"}');
INSERT INTO "events" VALUES('repo1-3372611d',39,'milestone-20261123-045546','2026-11-23T04:55:46.062Z','agent_registered','helper-2','helper-2','agents','{"agent_type":"helper"}');
INSERT INTO "events" VALUES('repo1-3372611d',40,'milestone-20261123-045546','2026-11-23T04:55:46.067Z','state_saved','notes','helper-1','state:notes','{"version":1,"bytes":115}');
INSERT INTO "events" VALUES('repo1-3372611d',41,'milestone-20261123-045546','2026-11-23T04:55:46.070Z','state_saved','notes','helper-1','state:notes','{"version":2,"bytes":2}');
INSERT INTO "events" VALUES('repo1-3372611d',42,'milestone-20261123-045546','2026-11-23T04:55:46.076Z','message_sent','helper-2','helper-1','messages','{"message_id":"msg-4abdbd12210f","to":"helper-2","type":"note"}');
INSERT INTO "events" VALUES('repo1-3372611d',43,'milestone-20261123-045546','2026-11-23T04:55:46.079Z','message_sent','project-milestone-coordinator','helper-1','messages','{"message_id":"msg-a11a31148015","to":"project-milestone-coordinator","type":"note"}');
INSERT INTO "events" VALUES('repo1-3372611d',44,'milestone-20261123-045546','2026-11-23T04:55:46.090Z','checkpoint_created','checkpoint-374450857e','','','{"scope":"agent","scope_id":"helper-1","label":"before"}');
INSERT INTO "events" VALUES('repo1-3372611d',45,'milestone-20261123-045546','2026-11-23T04:55:46.092Z','state_saved','other','helper-1','state:other','{"version":1,"bytes":7}');
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
INSERT INTO "evidence" VALUES('repo1-3372611d','milestone-20261123-045544','research','keys','research-orchestrator-a996b8','{"planning-research":1}','2026-11-23T04:55:44.511Z');
INSERT INTO "evidence" VALUES('repo1-3372611d','milestone-20261123-045544','scope','keys','infra-context-discovery-1b7990','{"planning-scope":1}','2026-11-23T04:55:44.515Z');
INSERT INTO "evidence" VALUES('repo1-3372611d','milestone-20261123-045544','dependencies','keys','infra-dependency-manager-3aea09','{"planning-dependencies":1}','2026-11-23T04:55:44.523Z');
INSERT INTO "evidence" VALUES('repo1-3372611d','milestone-20261123-045544','plan','keys','project-milestone-planner-0de811','{"milestone-plan":1}','2026-11-23T04:55:44.632Z');
INSERT INTO "evidence" VALUES('repo1-3372611d','milestone-20261123-045544','record','keys','doc-architecture-designer-fb103e','{"planning-documentation":1,"planning-complete":1}','2026-11-23T04:55:44.744Z');
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
INSERT INTO "message_receipts" VALUES('repo1-3372611d','helper-2','msg-4abdbd12210f',42,'2026-11-23T04:55:46.085Z','2026-11-23T04:55:46.085Z','');
INSERT INTO "message_receipts" VALUES('repo1-3372611d','coordinator-planning-milestone-20261123-045546-1795409746','msg-a11a31148015',43,'','','');
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
    position BIGINT NOT NULL,
    PRIMARY KEY (project_id, milestone_id)
);
INSERT INTO "milestones" VALUES('repo1-3372611d','milestone-20261123-045544','First goal','A rehearsal without a model: stand-ins list and compare, and all they save follows by rule.','planning','2 weeks','{"summary":"A plan made by rule, without a model: 0 to keep, 1 to improve, 0 to remove, 4 to originate. Hours are rules of thumb.","decisions":[{"id":"i1","kind":"improve","what":"Give the code at the top tests","reason":"No test lies in it and no test names it; 1 file of code.","source":"scope","places":[{"file":"app.py","line":1}]},{"id":"o1","kind":"originate","what":"Write a licence","reason":"No LICENSE or COPYING lies at the top, so nobody may use it.","source":"scope","places":[]},{"id":"o2","kind":"originate","what":"Write a README","reason":"No README lies at the top, so a stranger cannot start.","source":"scope","places":[]},{"id":"o3","kind":"originate","what":"Write tests","reason":"There is code, and no file is named like a test.","source":"scope","places":[]},{"id":"o4","kind":"originate","what":"Write continuous integration","reason":"There is code, and nothing that checks each change.","source":"scope","places":[]}],"objectives":{"primary":"Act on what was found by rule: 0 to keep, 1 to improve, 0 to remove, 4 to originate.","secondary":["Have somebody who understands the code judge each decision before it is carried out."],"success_criteria":["For each decision to improve: a check that failed before the change passes after it.","For each decision to originate: what was missing is there, and a check fails without it.","Everything that is kept still passes its tests."]},"scope":{"included":["Give the code at the top tests","Write a licence","Write a README","Write tests","Write continuous integration"],"excluded":["Whatever needs an understanding of the code, or research: neither was part of this rehearsal."],"constraints":[]},"dependencies":{"requires":[],"blocks":[]},"tasks":[{"id":"design-bounds","title":"Settle what is kept and where its boundaries run","phase":"design","weight":20,"depends_on":[],"paths":[],"evidence":["design_decisions.md names every decision this task serves"],"decisions":["i1","o1","o2","o3","o4"],"status":"pending"},{"id":"design-approach","title":"Choose an approach for each change","phase":"design","weight":20,"depends_on":[],"paths":[],"evidence":["design_decisions.md names every decision this task serves"],"decisions":["i1","o1","o2","o3","o4"],"status":"pending"},{"id":"spec-contracts","title":"Write the contracts of the kept parts that changes touch","phase":"spec","weight":20,"depends_on":["design-bounds"],"paths":[],"evidence":["technical_specs.md names every decision this task serves"],"decisions":["i1","o1","o2","o3","o4"],"status":"pending"},{"id":"spec-acceptance","title":"Write for each change the check that will accept it","phase":"spec","weight":20,"depends_on":["design-approach"],"paths":[],"evidence":["technical_specs.md names every decision this task serves"],"decisions":["i1","o1","o2","o3","o4"],"status":"pending"},{"id":"task-order","title":"Put the changes in order and name the files of each","phase":"task","weight":20,"depends_on":["spec-contracts","spec-acceptance"],"paths":[],"evidence":["execution_roadmap.md names every decision this task serves"],"decisions":["i1","o1","o2","o3","o4"],"status":"pending"},{"id":"execute-i1","title":"Give the code at the top tests","phase":"execute","weight":20,"depends_on":["task-order"],"paths":["app.py"],"evidence":["a check that failed before the change passes after it"],"decisions":["i1"],"status":"pending"},{"id":"execute-o1","title":"Write a licence","phase":"execute","weight":40,"depends_on":["task-order"],"paths":[],"evidence":["what was missing is there, and a check fails without it"],"decisions":["o1"],"status":"pending"},{"id":"execute-o2","title":"Write a README","phase":"execute","weight":40,"depends_on":["task-order"],"paths":[],"evidence":["what was missing is there, and a check fails without it"],"decisions":["o2"],"status":"pending"},{"id":"execute-o3","title":"Write tests","phase":"execute","weight":40,"depends_on":["task-order"],"paths":[],"evidence":["what was missing is there, and a check fails without it"],"decisions":["o3"],"status":"pending"},{"id":"execute-o4","title":"Write continuous integration","phase":"execute","weight":40,"depends_on":["task-order"],"paths":[],"evidence":["what was missing is there, and a check fails without it"],"decisions":["o4"],"status":"pending"},{"id":"execute-verify","title":"Show that everything kept still works","phase":"execute","weight":20,"depends_on":["execute-i1","execute-o1","execute-o2","execute-o3","execute-o4"],"paths":[],"evidence":["the tests that were green before are green after it"],"decisions":["i1","o1","o2","o3","o4"],"status":"pending"}],"deliverables":[],"risks":[{"risk":"Decisions follow by rule, not from understanding","likelihood":"high","impact":"high","mitigation":"Let somebody judge each."},{"risk":"The plan rests on no research","likelihood":"high","impact":"high","mitigation":"Have a model or a person do the research before this plan is carried out."},{"risk":"1 part without tests may break unseen","likelihood":"medium","impact":"high","mitigation":"Write the tests first."}],"timeline":[{"stage":"design","duration":"about 7 h","outcome":"the approach to each decision is settled"},{"stage":"spec","duration":"about 11 h","outcome":"contracts and acceptance checks are written"},{"stage":"task","duration":"about 9 h","outcome":"the changes are ordered"},{"stage":"execute","duration":"about 18 h","outcome":"the changes are made and proven"}],"estimates":{"design":7.0,"spec":11.0,"task":9.0,"execute":18.0},"team":{"owner":"current_user","contributors":[]}}','2026-11-23T04:55:44.295Z','2026-11-23T04:55:44.632Z',33);
INSERT INTO "milestones" VALUES('repo1-3372611d','milestone-20261123-045546','Second goal — ünïcode ‘quotes’; --','Second goal — ünïcode ‘quotes’; --','planning','2 weeks','{"summary":"","decisions":[],"objectives":{"primary":"","secondary":[],"success_criteria":[]},"scope":{"included":[],"excluded":[],"constraints":[]},"dependencies":{"requires":[],"blocks":[]},"tasks":[],"deliverables":[],"risks":[],"timeline":[],"estimates":{},"team":{"owner":"current_user","contributors":[]}}','2026-11-23T04:55:46.020Z','2026-11-23T04:55:46.020Z',45);
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
INSERT INTO "phases" VALUES('repo1-3372611d','milestone-20261123-045544','design',0,15,'pending','','');
INSERT INTO "phases" VALUES('repo1-3372611d','milestone-20261123-045544','spec',1,25,'pending','','');
INSERT INTO "phases" VALUES('repo1-3372611d','milestone-20261123-045544','task',2,20,'pending','','');
INSERT INTO "phases" VALUES('repo1-3372611d','milestone-20261123-045544','execute',3,40,'pending','','');
INSERT INTO "phases" VALUES('repo1-3372611d','milestone-20261123-045546','design',0,15,'pending','','');
INSERT INTO "phases" VALUES('repo1-3372611d','milestone-20261123-045546','spec',1,25,'pending','','');
INSERT INTO "phases" VALUES('repo1-3372611d','milestone-20261123-045546','task',2,20,'pending','','');
INSERT INTO "phases" VALUES('repo1-3372611d','milestone-20261123-045546','execute',3,40,'pending','','');
CREATE TABLE projects (
    project_id TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    created_at TEXT NOT NULL
);
INSERT INTO "projects" VALUES('repo1-3372611d',45,'2026-11-23T04:55:44.295Z');
CREATE TABLE requests (
    project_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    arguments_digest TEXT NOT NULL,
    answer TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (project_id, request_id)
);
INSERT INTO "requests" VALUES('repo1-3372611d','request-1','save_agent_state','0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f','{"agent_id":"helper-1","version":1}','2026-11-22T10:00:00.000Z');
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
INSERT INTO "sessions" VALUES('repo1-3372611d','planning-milestone-20261123-045544-1795409744','milestone-20261123-045544','planning','completed','2026-11-23T04:55:44.295Z','2026-11-23T04:55:44.744Z');
INSERT INTO "sessions" VALUES('repo1-3372611d','planning-milestone-20261123-045546-1795409746','milestone-20261123-045546','planning','open','2026-11-23T04:55:46.020Z','');
CREATE TABLE task_dependencies (
    project_id TEXT NOT NULL,
    milestone_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    needs_task TEXT NOT NULL,
    needs_key TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, task_id, needs_key),
    FOREIGN KEY (project_id, milestone_id, task_id) REFERENCES tasks (project_id, milestone_id, task_id),
    FOREIGN KEY (project_id, milestone_id, needs_task) REFERENCES tasks (project_id, milestone_id, task_id)
);
INSERT INTO "task_dependencies" VALUES('repo1-3372611d','milestone-20261123-045544','plan','scope','planning-scope');
INSERT INTO "task_dependencies" VALUES('repo1-3372611d','milestone-20261123-045544','plan','research','planning-research');
INSERT INTO "task_dependencies" VALUES('repo1-3372611d','milestone-20261123-045544','plan','dependencies','planning-dependencies');
INSERT INTO "task_dependencies" VALUES('repo1-3372611d','milestone-20261123-045544','record','scope','planning-scope');
INSERT INTO "task_dependencies" VALUES('repo1-3372611d','milestone-20261123-045544','record','research','planning-research');
INSERT INTO "task_dependencies" VALUES('repo1-3372611d','milestone-20261123-045544','record','dependencies','planning-dependencies');
INSERT INTO "task_dependencies" VALUES('repo1-3372611d','milestone-20261123-045544','record','plan','milestone-plan');
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
    completed_at TEXT NOT NULL,
    PRIMARY KEY (project_id, milestone_id, task_id),
    FOREIGN KEY (project_id, milestone_id) REFERENCES milestones (project_id, milestone_id)
);
INSERT INTO "tasks" VALUES('repo1-3372611d','milestone-20261123-045544','scope',0,'planning','infra-context-discovery','Find out what is there today','',0,'["planning-scope"]',1,1800,'completed','',1,'2026-11-23T04:55:44.515Z');
INSERT INTO "tasks" VALUES('repo1-3372611d','milestone-20261123-045544','research',1,'planning','research-orchestrator','Find out how others solve it','',0,'["planning-research"]',1,1800,'completed','',1,'2026-11-23T04:55:44.511Z');
INSERT INTO "tasks" VALUES('repo1-3372611d','milestone-20261123-045544','dependencies',2,'planning','infra-dependency-manager','Audit what the project depends on','',0,'["planning-dependencies"]',1,1800,'completed','',1,'2026-11-23T04:55:44.523Z');
INSERT INTO "tasks" VALUES('repo1-3372611d','milestone-20261123-045544','plan',3,'planning','project-milestone-planner','Decide and plan','',0,'["milestone-plan"]',1,1800,'completed','',1,'2026-11-23T04:55:44.632Z');
INSERT INTO "tasks" VALUES('repo1-3372611d','milestone-20261123-045544','record',4,'planning','doc-architecture-designer','Write the decision record','',0,'["planning-documentation","planning-complete"]',1,1800,'completed','',1,'2026-11-23T04:55:44.744Z');
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
COMMIT;
