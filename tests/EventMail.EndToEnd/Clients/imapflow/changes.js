// What imapflow makes of CONDSTORE, QRESYNC and IDLE. Arguments: host port user password. Its last word is "done".
'use strict';
const assert = require('node:assert');
const { ImapFlow } = require(process.argv[6]);

const [, , host, port, user, pass] = process.argv;
const connect = async () => {
    const client = new ImapFlow({ host, port: Number(port), secure: false, auth: { user, pass }, logger: false, qresync: true, doSTARTTLS: false, disableAutoIdle: true });
    await client.connect();
    return client;
};

// The next event of that name that fits; given up with what came instead.
const next = (client, event, fits = () => true) => {
    const others = [];
    return new Promise((resolve, reject) => {
        const limit = setTimeout(() => reject(new Error(`no ${event} in time; came: ${others.map(String)}`)), 20000);
        const take = data => {
            if (!fits(data)) return others.push(JSON.stringify(data, (_, value) => (typeof value === 'bigint' ? String(value) : value)));
            clearTimeout(limit);
            client.off(event, take);
            resolve(data);
        };
        client.on(event, take);
    });
};

(async () => {
    const watcher = await connect();
    const worker = await connect();
    assert(watcher.enabled.has('CONDSTORE') && watcher.enabled.has('QRESYNC'), [...watcher.enabled].join());
    await worker.mailboxOpen('INBOX');
    for (let number = 1; number <= 4; number++) {
        await worker.append('INBOX', `Subject: Number ${number}\r\n\r\nBody ${number}\r\n`, number === 1 ? ['\\Seen'] : []);
    }

    // IDLE: a flag, a message and a deletion of another session, each told at once.
    const opened = await watcher.mailboxOpen('INBOX');
    assert.equal(opened.exists, 4);
    assert.equal(typeof opened.highestModseq, 'bigint');
    // imapflow moves these on.
    const { highestModseq, uidValidity } = opened;
    const idling = watcher.idle();
    let told = next(watcher, 'flags', flags => flags.seq === 2);
    await worker.messageFlagsAdd('2', ['\\Flagged', 'Word']);
    const flags = await told;
    assert(flags.flags.has('\\Flagged') && flags.flags.has('Word'));
    assert(flags.modseq > highestModseq, `${flags.modseq} after ${highestModseq}`);
    told = next(watcher, 'exists', exists => exists.count === 5);
    await worker.append('INBOX', 'Subject: Number 5\r\n\r\nBody 5\r\n');
    await told;
    told = next(watcher, 'expunge', expunged => expunged.uid === 3);
    await worker.messageDelete('3', { uid: true });
    assert((await told).vanished, 'EXPUNGE instead of VANISHED');
    // A command ends the IDLE.
    assert.deepEqual((await watcher.search({ flagged: true }, { uid: true })), [2]);
    await idling;

    const known = watcher.mailbox.highestModseq;

    // Away, and back with what was known: the flags that changed and the UIDs that are gone, nothing else.
    await watcher.logout();
    await worker.messageFlagsAdd('4', ['\\Answered'], { uid: true });
    await worker.messageDelete('1', { uid: true });
    const back = await connect();
    const gone = new Set(), changed = new Set();
    back.on('expunge', expunged => expunged.earlier && gone.add(expunged.uid));
    back.on('flags', change => changed.add(change.uid));
    const again = await back.mailboxOpen('INBOX', { changedSince: known, uidValidity });
    assert.equal(again.exists, 3);
    assert.deepEqual([...gone].sort(), [1, 3]);
    assert(changed.has(4) && !changed.has(2), [...changed].join());

    // CHANGEDSINCE and UNCHANGEDSINCE.
    const since = [];
    for await (const message of back.fetch('1:*', { uid: true, flags: true }, { uid: true, changedSince: flags.modseq })) since.push(message.uid);
    assert.deepEqual(since.sort(), [4, 5]);
    await worker.messageFlagsAdd('5', ['\\Flagged'], { uid: true });
    await back.messageFlagsAdd('5', ['\\Draft'], { uid: true, unchangedSince: again.highestModseq });
    const fifth = await back.fetchOne('5', { uid: true, flags: true, envelope: true, bodyStructure: true, source: true, internalDate: true, size: true }, { uid: true });
    assert(!fifth.flags.has('\\Draft') && fifth.flags.has('\\Flagged'), [...fifth.flags].join());
    assert.equal(fifth.envelope.subject, 'Number 5');
    assert.equal(fifth.bodyStructure.type, 'text/plain');
    assert.equal(fifth.source.toString(), 'Subject: Number 5\r\n\r\nBody 5\r\n');

    // Mailboxes.
    await back.mailboxCreate(['Projects', 'Änderung']);
    const moved = await back.messageMove('5', 'Projects/Änderung', { uid: true });
    assert.equal(moved.uidMap.size, 1);
    assert.equal((await back.status('Projects/Änderung', { messages: true })).messages, 1);
    const list = await back.list({ statusQuery: { messages: true } });
    assert(list.some(box => box.path === 'Projects/Änderung' && box.status.messages === 1));
    assert.equal(list.find(box => box.path === 'Sent').specialUse, '\\Sent');
    await back.logout();
    await worker.logout();
    console.log('done');
})().catch(error => {
    console.error(error);
    process.exit(1);
});
