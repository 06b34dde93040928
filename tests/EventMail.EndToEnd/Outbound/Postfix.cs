using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using EventMail.Testing;

namespace EventMail.EndToEnd.Outbound;

/// <summary>A Postfix of its own on loopback, which takes mail for example.com into Maildirs.</summary>
internal sealed class Postfix : IAsyncDisposable
{
    private const string Program = "/usr/sbin/postfix";

    // nobody: whom the Maildirs belong to.
    private const int Uid = 65534;

    private readonly TempFolder _folder;

    private Postfix(TempFolder folder, int port) => (_folder, Port) = (folder, port);

    public static string? Missing => !File.Exists(Program) ? "Not installed: postfix" : Environment.UserName != "root" ? "Postfix wants to be started by root" : null;

    public int Port { get; }

    /// <param name="settings">Lines of main.cf beyond what is needed.</param>
    public static async Task<Postfix> StartAsync(params string[] settings)
    {
        var folder = new TempFolder();
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_101_101);
        var port = TestPort.Free();
        var postfix = new Postfix(folder, port);
        foreach (var name in (string[])["conf", "spool", "data", "mail"])
        {
            Directory.CreateDirectory(folder[name]);
        }

        await ClientProgram.RunAsync("chown", ["postfix", folder["data"]]);
        await ClientProgram.RunAsync("chown", [$"{Uid}", folder["mail"]]);
        await File.WriteAllTextAsync(folder["cert.pem"], TestCertificate.Certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(folder["key.pem"], TestCertificate.Certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(folder["users"], "alice@example.com alice/\nbob@example.com bob/\njürgen@example.com jürgen/\n");
        await File.WriteAllTextAsync(folder["access"], "grey@example.com 450 4.7.1 Greylisted\nfull@example.com 552 5.2.2 Mailbox full\n");
        await File.WriteAllTextAsync(folder["conf/dynamicmaps.cf"], "");
        // What "start" makes sure of: nothing but the folders below the queue's.
        await File.WriteAllTextAsync(folder["conf/postfix-files"], "$queue_directory:d:root:-:755:uc\n" + string.Concat(
            from name in new[] { "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace" }
            select $"$queue_directory/{name}:d:$mail_owner:-:700:ucr\n") + "$queue_directory/maildrop:d:$mail_owner:$setgid_group:730:uc\n"
            + "$queue_directory/public:d:$mail_owner:$setgid_group:710:uc\n$queue_directory/pid:d:root:-:755:uc\n");
        await File.WriteAllLinesAsync(folder["conf/main.cf"],
        [
            "compatibility_level = 3.6", $"queue_directory = {folder["spool"]}", $"data_directory = {folder["data"]}", "command_directory = /usr/sbin",
            "daemon_directory = /usr/lib/postfix/sbin", $"meta_directory = {folder["conf"]}", "mail_owner = postfix", "setgid_group = postdrop",
            $"maillog_file = {folder["mail.log"]}", $"maillog_file_prefixes = {folder.Path}", "myhostname = postfix.example.com", "mydestination =",
            "mynetworks =", "inet_interfaces = 127.0.0.1", "inet_protocols = ipv4", "alias_maps =", "virtual_mailbox_domains = example.com",
            $"virtual_mailbox_maps = texthash:{folder["users"]}", $"virtual_mailbox_base = {folder["mail"]}", $"virtual_uid_maps = static:{Uid}",
            $"virtual_gid_maps = static:{Uid}", "smtpd_relay_restrictions = reject_unauth_destination",
            $"smtpd_recipient_restrictions = check_recipient_access texthash:{folder["access"]}", "smtpd_tls_security_level = may",
            $"smtpd_tls_cert_file = {folder["cert.pem"]}", $"smtpd_tls_key_file = {folder["key.pem"]}", "smtputf8_enable = yes",
            "smtpd_recipient_limit = 2", "smtpd_recipient_overshoot_limit = 100", "message_size_limit = 2000000", "virtual_mailbox_limit = 0",
            "smtpd_client_restrictions =", "strict_smtputf8 = no", "in_flow_delay = 0",
            .. settings,
        ]);
        await File.WriteAllLinesAsync(folder["conf/master.cf"],
        [
            $"127.0.0.1:{port} inet n - n - - smtpd",
            .. from service in new[] { "cleanup n 0 cleanup", "qmgr n 1 qmgr", "tlsmgr - 1 tlsmgr", "rewrite - - trivial-rewrite", "bounce - 0 bounce", "defer - 0 bounce",
                   "trace - 0 bounce", "proxymap - - proxymap", "error - - error", "retry - - error", "virtual - - virtual", "anvil - 1 anvil", "pickup n 1 pickup" }
               let words = service.Split(' ')
               select $"{words[0]} unix {words[1]} {(words[0] == "virtual" ? "n" : "-")} n - {words[2]} {words[3]}",
            "postlog unix-dgram n - n - 1 postlogd",
        ]);
        await ClientProgram.RunAsync(Program, ["-c", folder["conf"], "start"]);
        for (var began = Stopwatch.GetTimestamp(); ;)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port);
                return postfix;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(began) < Waiting.Limit)
            {
                await Task.Delay(25);
            }
        }
    }

    /// <summary>Waits for so many messages of a user's Maildir; with LF, behind what Postfix puts in front.</summary>
    public async Task<IReadOnlyList<byte[]>> MailAsync(string user, int count)
    {
        var folder = _folder[$"mail/{user}/new"];
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < Waiting.Limit; await Task.Delay(50))
        {
            if (Directory.Exists(folder) && Directory.GetFiles(folder) is var files && files.Length >= count)
            {
                return [.. files.Select(File.ReadAllBytes)];
            }
        }

        throw new TimeoutException($"{user} has not got {count} messages.\n{await File.ReadAllTextAsync(_folder["mail.log"])}");
    }

    public async ValueTask DisposeAsync()
    {
        await ClientProgram.TryRunAsync(Program, ["-c", _folder["conf"], "stop"]);
        _folder.Dispose();
    }
}
