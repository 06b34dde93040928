using System.Net;

namespace EventMail.EndToEnd.Clients;

/// <summary>Programs that keep a maildir (folder's "mail", its inbox in "mail/INBOX") and an account's mailboxes the same: each call is one run.</summary>
internal static class SyncPrograms
{
    public static Func<Task> Mbsync(TempFolder folder, IPEndPoint imap, string account)
    {
        Directory.CreateDirectory(folder["mail"]);
        var rc = folder.Write("rc", $"""
            IMAPAccount there
            Host {imap.Address}
            Port {imap.Port}
            User {account}
            Pass "{MailServer.Password}"
            SSLType None

            IMAPStore far
            Account there

            MaildirStore near
            Path {folder["mail"]}/
            Inbox {folder["mail"]}/INBOX
            SubFolders Verbatim

            Channel all
            Far :far:
            Near :near:
            Patterns *
            Create Both
            Remove Both
            Expunge Both
            SyncState *
            """);
        return () => ClientProgram.RunAsync("mbsync", ["--config", rc, "--all", "--quiet"], home: folder.Path);
    }

    public static Func<Task> Offlineimap(TempFolder folder, IPEndPoint imap, string account) => Offlineimap(folder, imap, account, "expunge = yes");

    /// <param name="remote">What else it is told of the server's side, a line each.</param>
    public static Func<Task> Offlineimap(TempFolder folder, IPEndPoint imap, string account, string remote)
    {
        var rc = folder.Write("rc", $"""
            [general]
            accounts = a
            metadata = {folder["meta"]}
            ui = quiet

            [Account a]
            localrepository = here
            remoterepository = there

            [Repository here]
            type = Maildir
            localfolders = {folder["mail"]}
            sync_deletes = yes

            [Repository there]
            type = IMAP
            remotehost = {imap.Address}
            remoteport = {imap.Port}
            remoteuser = {account}
            remotepass = {MailServer.Password}
            ssl = no
            starttls = no
            {remote}

            """);
        return () => ClientProgram.RunAsync("offlineimap", ["-o", "-c", rc], home: folder.Path);
    }
}
