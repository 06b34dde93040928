using System.Net;

namespace EventMail.EndToEnd.Clients;

/// <summary>neomutt on a terminal that nobody sees.</summary>
internal static class Neomutt
{
    /// <summary>What a test with it needs.</summary>
    public static readonly string[] Programs = ["neomutt", "script"];

    /// <summary>Opens a mailbox, types the keys and leaves.</summary>
    /// <param name="mailbox">A folder, or an imap URL.</param>
    /// <param name="settings">Lines of a configuration file beyond what is needed.</param>
    public static async Task RunAsync(TempFolder folder, string mailbox, string keys, string settings)
    {
        var rc = folder.Write("rc", $"""
            # Else it asks first whether to make ~/Mail.
            set folder = "{folder.Path}"
            set confirmappend = no
            set confirmcreate = no
            set delete = yes
            set quit = yes
            set mail_check = 0
            set wait_key = no
            {settings}
            """);
        var command = $"TERM=xterm neomutt -n -F {rc} -f {mailbox} -e 'push \"{keys}<quit>\"'";
        await ClientProgram.RunAsync("script", ["--quiet", "--return", "--command", command, "/dev/null"], home: folder.Path);
    }

    public static Task RunAsync(TempFolder folder, IPEndPoint imap, string account, string keys, string settings = "") =>
        RunAsync(folder, $"imap://{imap}/INBOX", keys, $"""
            set imap_user = "{account}"
            set imap_pass = "{MailServer.Password}"
            set imap_authenticators = "plain:login"
            set ssl_starttls = no
            set ssl_force_tls = no
            set header_cache = ""
            {settings}
            """);

    /// <summary>The newest message of an INBOX as a reader sees it.</summary>
    public static async Task<string> ShowLastAsync(IPEndPoint imap, string account)
    {
        using var folder = new TempFolder();
        await RunAsync(folder, imap, account, $"<last-entry><pipe-message>cat > {folder["seen"]}<enter>", "set pipe_decode = yes");
        return await File.ReadAllTextAsync(folder["seen"]);
    }
}
