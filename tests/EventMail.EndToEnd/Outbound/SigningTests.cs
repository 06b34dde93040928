using System.Diagnostics;
using System.Text;
using EventMail.Testing;

namespace EventMail.EndToEnd.Outbound;

/// <summary>A domain gets its keys, a user submits, and OpenDKIM's own program verifies what came of it.</summary>
public sealed class SigningTests
{
    private const string Domain = "signed.example";
    private const string User = $"joe@{Domain}";

    // opendkim-testmsg asks port 53 of the servers in /etc/resolv.conf: it gets a network and a resolv.conf of its own, and in it a
    // DNS server that knows the keys.
    private const string Verify =
        """
        ip link set lo up
        echo nameserver 127.0.0.1 > resolv.conf
        mount --bind resolv.conf /etc/resolv.conf
        dnsmasq --no-daemon --no-resolv --no-hosts --bind-interfaces --listen-address=127.0.0.1 --pid-file= --conf-file="$PWD/dnsmasq.conf" 2>dnsmasq.log &
        server=$!
        until grep -q started dnsmasq.log; do kill -0 $server && sleep 0.05 || exit 99; done
        for message in whole changed; do opendkim-testmsg < $message; echo "$message $?"; done
        kill $server
        """;

    [NeedsOwnNetworkFact("opendkim-testmsg", "dnsmasq", "unshare", "ip", "unbound", "swaks", "curl")]
    public async Task What_a_user_submits_is_signed_so_that_OpenDKIM_verifies_it()
    {
        await using var dns = await DnsServer.StartAsync(Domain, "");
        await using var server = await TestServer.StartAsync(new() { Settings = [.. MailServer.Settings, $"Dns:Servers={dns.Setting}"] });
        await DoAsync(server, "account", "add", User, "--password", MailServer.Password);

        // A key whose record nobody can see is not used.
        var printed = await DoAsync(server, "domain", "dkim", Domain, "add", "--algorithm", "both");
        var refused = await server.RunAsync("domain", "dkim", Domain, "activate");
        (refused.ExitCode, refused.Error).ShouldSatisfyAllConditions(
            answer => answer.ExitCode.ShouldBe(1), answer => answer.Error.ShouldContain("has no usable TXT record: no key for signature"));
        (await SubmitAsync(server)).ShouldNotContain("DKIM-Signature:");

        var zone = printed.Split('\n').Where(line => line.Contains("IN TXT", StringComparison.Ordinal)).ToList();
        zone.Count.ShouldBe(2);
        await dns.ReplaceAsync(new DnsZone(Domain, string.Join('\n', zone)));
        (await DoAsync(server, "domain", "dkim", Domain, "activate")).Split('\n').Length.ShouldBe(2);
        (await DoAsync(server, "domain", "dkim", Domain)).ShouldContain("active");

        var message = await SubmitAsync(server);
        message.Split("DKIM-Signature:").Length.ShouldBe(3);
        (await VerifyAsync(message, zone)).ShouldBe("whole 0\nchanged 70\n");
    }

    private static async Task<string> DoAsync(TestServer server, params string[] arguments)
    {
        var result = await server.RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Error);
        return result.Output.TrimEnd('\n');
    }

    /// <summary>Submits a message of the user to the user.</summary>
    /// <returns>The newest one, as POP3 has it.</returns>
    private static async Task<string> SubmitAsync(TestServer server)
    {
        await ClientProgram.RunAsync("swaks", [
            "--server", server["submission"].ToString(), "--tls", "--auth", "PLAIN", "--auth-user", User, "--auth-password", MailServer.Password,
            "--from", User, "--to", User, "--header", "Subject: signed", "--body", "one line  with  spaces \\n\\nanother\\n\\n\\n"]);
        var list = Encoding.ASCII.GetString(await CurlAsync(server, "")).Trim().Split('\n');
        return Encoding.Latin1.GetString(await CurlAsync(server, $"{list.Length}"));
    }

    private static Task<byte[]> CurlAsync(TestServer server, string path) =>
        ClientProgram.RunAsync("curl", ["--silent", "--show-error", "--user", $"{User}:{MailServer.Password}", $"pop3://{server["pop3"]}/{path}"]);

    /// <summary>What OpenDKIM says of the message, and of the message with another subject.</summary>
    private static async Task<string> VerifyAsync(string message, IEnumerable<string> zone)
    {
        using var folder = new TempFolder();
        var records = zone.Select(line => line.Split(". IN TXT ( ")).Select(parts => $"txt-record={parts[0]},{parts[1].TrimEnd(' ', ')').Replace("\" \"", "\",\"", StringComparison.Ordinal)}");
        folder.Write("dnsmasq.conf", string.Join('\n', records) + "\n");
        await File.WriteAllBytesAsync(folder["whole"], Encoding.Latin1.GetBytes(message));
        await File.WriteAllBytesAsync(folder["changed"], Encoding.Latin1.GetBytes(message.Replace("Subject: signed", "Subject: changed", StringComparison.Ordinal)));
        return Encoding.ASCII.GetString(await ClientProgram.RunAsync("unshare", ["-rmn", "sh", "-c", $"cd {folder.Path}\n{Verify}"]));
    }

    /// <summary>Skipped, too, where the kernel gives users no namespaces.</summary>
    private sealed class NeedsOwnNetworkFactAttribute : NeedsFactAttribute
    {
        public NeedsOwnNetworkFactAttribute(params string[] programs)
            : base(programs) => Skip ??= HasNamespaces() ? null : "No user namespaces on this machine.";

        private static bool HasNamespaces()
        {
            using var process = Process.Start(new ProcessStartInfo("unshare", ["-rmn", "true"]) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
    }
}
