using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using EventMail.EventStore.Proof;
using EventMail.Host.Cli;
using EventMail.Testing;

namespace EventMail.Host.Tests.Audit;

/// <summary>`audit prove` beside the server, `audit check` without it.</summary>
public sealed class ProofTests(AuditStore store) : IClassFixture<AuditStore>
{
    private readonly string _file = Path.GetTempFileName();

    // No --data, no database.
    private static async Task<(int ExitCode, string Text)> CheckAsync(params string[] arguments)
    {
        var result = await TestCommand.RunAsync(["audit", "check", .. arguments]);
        return (result.ExitCode, result.Output + result.Error);
    }

    private async Task<byte[]> ProveOneAsync()
    {
        var octets = await store.SendAsync();
        var id = Encoding.ASCII.GetString(octets).Split('\r')[0]["Message-ID: ".Length..];
        await store.DoAsync("audit", "prove", AuditStore.Address, id, "--out", _file);
        return octets;
    }

    private async Task<string> AlteredAsync(Action<JsonNode> alter)
    {
        var node = JsonNode.Parse(await File.ReadAllTextAsync(_file))!;
        alter(node);
        var altered = Path.GetTempFileName();
        await File.WriteAllTextAsync(altered, node.ToJsonString());
        return altered;
    }

    [Fact]
    public async Task A_message_is_proved_by_a_file_and_the_public_key_alone()
    {
        var octets = await ProveOneAsync();
        var (key, eml) = (await store.DoAsync("audit", "key"), Path.GetTempFileName());
        await File.WriteAllBytesAsync(eml, octets);
        var (exitCode, text) = await CheckAsync(_file, "--key", key, "--message", eml);
        exitCode.ShouldBe(ExitCodes.Done, text);
        text.ShouldContain(" message_received, version ");
        text.ShouldContain($"SHA-256 {Convert.ToHexStringLower(SHA256.HashData(octets))}");
        text.ShouldContain($"{eml} is the message of these events");
        text.ShouldContain($"signed by {key}");

        (exitCode, text) = await CheckAsync(_file, "--key", key, "--held", eml);
        (exitCode, text.Contains("it is no proof that a log goes on")).ShouldBe((ExitCodes.Failed, true), text);

        await File.WriteAllTextAsync(eml, "another message");
        (exitCode, text) = await CheckAsync(_file, "--key", key, "--message", eml);
        exitCode.ShouldBe(ExitCodes.Failed);
        text.ShouldContain($"{eml} is another message");
    }

    [Fact]
    public async Task Without_a_key_nobody_vouches_for_it_and_another_key_does_not()
    {
        await ProveOneAsync();
        var (exitCode, text) = await CheckAsync(_file);
        exitCode.ShouldBe(ExitCodes.Failed);
        text.ShouldContain("anybody could have made it");
        (exitCode, text) = await CheckAsync(_file, "--key", NoteSigningKey.Generate("log.example").Public.ToString());
        exitCode.ShouldBe(ExitCodes.Failed);
        text.ShouldContain("its checkpoint is not signed by log.example (log.example+");
    }

    [Fact]
    public async Task A_proof_with_anything_changed_proves_nothing()
    {
        await ProveOneAsync();
        var key = await store.DoAsync("audit", "key");
        Action<JsonNode>[] alterations =
        [
            proof => proof["events"]![0]!["position"] = 1,
            proof => proof["events"]![0]!["index"] = 0,
            proof => proof["events"]![0]!["line"] = proof["events"]![0]!["line"]!.GetValue<string>().Replace("message_received", "message_appended"),
            proof => proof["events"]![0]!["path"]!.AsArray().RemoveAt(0),
            proof => proof["events"]![0]!["path"]![0] = TreeHash.Empty.ToString(),
            proof => proof["events"]![0]!["path"]![0] = "no hash",
            proof => proof["checkpoint"] = proof["checkpoint"]!.GetValue<string>().Replace("log.example\n", "other.example\n"),
            proof => proof["checkpoint"] = "no checkpoint",
            proof => proof["proof"] = "something else",
            proof => proof["version"] = 2,
            proof => proof["events"] = new JsonArray(),
            proof => proof["events"] = null,
        ];
        foreach (var alter in alterations)
        {
            var (exitCode, text) = await CheckAsync(await AlteredAsync(alter), "--key", key);
            exitCode.ShouldBe(ExitCodes.Failed, text);
        }
        await File.WriteAllTextAsync(_file, "{");
        (await CheckAsync(_file, "--key", key)).Text.ShouldContain("this is no proof");
        (await CheckAsync("/nowhere/proof.json")).ExitCode.ShouldBe(ExitCodes.Usage);
        (await CheckAsync(_file, "--key", "no key")).ExitCode.ShouldBe(ExitCodes.Failed);
    }

    [Fact]
    public async Task Events_are_proved_against_a_checkpoint_that_somebody_holds()
    {
        await store.SendAsync();
        var held = Path.GetTempFileName();
        await File.WriteAllTextAsync(held, await store.DoAsync("audit", "checkpoint") + '\n');
        await store.SendAsync();
        await store.DoAsync("audit", "prove", "--event", "1", "--event", "2", "--checkpoint", held, "--out", _file);
        var proof = ProofFile.Parse(await File.ReadAllBytesAsync(_file));
        proof.Checkpoint.ShouldBe(await File.ReadAllTextAsync(held));
        proof.Events.Select(e => e.Position).ShouldBe([1, 2]);
        proof.Faults(NoteKey.Parse(await store.DoAsync("audit", "key"))).ShouldBeEmpty();

        var last = await store.ScalarAsync<long>("select max(seq_id) from public.mt_events");
        (await store.FailAsync("audit", "prove", "--event", $"{last}", "--checkpoint", held)).ShouldContain($"event {last} is younger than the checkpoint");
        (await store.FailAsync("audit", "prove", "--event", "1000000")).ShouldContain("there is no event at position 1000000");
        (await store.FailAsync("audit", "prove", AuditStore.Address, "nothing@example.org")).ShouldContain("never had a message nothing@example.org");
        (await store.FailAsync("audit", "prove", "nobody@audit.example", "x")).ShouldContain("There is and was no account");
        (await store.FailAsync("audit", "prove")).ShouldContain("Say which message");
        await File.WriteAllTextAsync(held, SignedCheckpoint.Sign(Checkpoint.Of("log.example", 2, TreeHash.Empty, DateTimeOffset.UtcNow), NoteSigningKey.Generate("log.example")).ToString());
        (await store.FailAsync("audit", "prove", "--event", "1", "--checkpoint", held)).ShouldContain("the checkpoint is not one of this log");
    }

    [OpenSslFact]
    public async Task Another_program_that_knows_only_the_document_comes_to_the_same()
    {
        var octets = await ProveOneAsync();
        var (key, eml) = (await store.DoAsync("audit", "key"), Path.GetTempFileName());
        await File.WriteAllBytesAsync(eml, octets);
        (await PythonAsync(_file, key, eml)).ShouldContain("PROVED in the log of ");
        (await PythonAsync(_file, NoteSigningKey.Generate("log.example").Public.ToString(), eml)).ShouldContain("NOT PROVED: the checkpoint is not signed by this key");
        (await PythonAsync(_file, key, _file)).ShouldContain("NOT PROVED: the message is another one");
        var altered = await AlteredAsync(proof => proof["events"]![0]!["position"] = 1);
        (await PythonAsync(altered, key)).ShouldContain("NOT PROVED: event 1 is not in the log");
    }

    [OpenSslFact]
    public async Task That_the_log_goes_on_from_a_checkpoint_is_proved_to_who_holds_it()
    {
        var (held, other) = (Path.GetTempFileName(), Path.GetTempFileName());
        await File.WriteAllTextAsync(held, await store.DoAsync("audit", "checkpoint") + '\n');
        await store.SendAsync();
        await store.DoAsync("audit", "prove", "--since", held, "--out", _file);
        var key = await store.DoAsync("audit", "key");
        var (exitCode, text) = await CheckAsync(_file, "--key", key, "--held", held);
        exitCode.ShouldBe(ExitCodes.Done, text);
        text.ShouldContain("goes on from the log log.example of ");
        (await PythonAsync(_file, key, held)).ShouldContain("PROVED that the log of ");

        await File.WriteAllTextAsync(other, await store.DoAsync("audit", "checkpoint") + '\n');
        (exitCode, text) = await CheckAsync(_file, "--key", key, "--held", other);
        exitCode.ShouldBe(ExitCodes.Failed);
        text.ShouldContain("is another one than that of");
        (await PythonAsync(_file, key, other)).ShouldContain("NOT PROVED: the older checkpoint is another one than yours");
        (exitCode, text) = await CheckAsync(_file, "--key", key, "--message", held);
        (exitCode, text.Contains("says nothing of a message")).ShouldBe((ExitCodes.Failed, true), text);
        (await CheckAsync(_file)).Text.ShouldContain("anybody could have made it");
        (await CheckAsync(_file, "--key", NoteSigningKey.Generate("log.example").Public.ToString())).Text.ShouldContain("is not signed by log.example");
        var altered = await AlteredAsync(proof => proof["path"] = new JsonArray());
        (await CheckAsync(altered, "--key", key)).Text.ShouldContain("it does not show that the log of ");
        (await PythonAsync(altered, key)).ShouldContain("NOT PROVED: ");
        (await store.FailAsync("audit", "prove", "--since", other, "--checkpoint", held)).ShouldContain("No proof: the older checkpoint has ");
        await File.WriteAllTextAsync(other, SignedCheckpoint.Sign(Checkpoint.Of("log.example", 2, TreeHash.Empty, DateTimeOffset.UtcNow), NoteSigningKey.Generate("log.example")).ToString());
        (await store.FailAsync("audit", "prove", "--since", other)).ShouldContain("the checkpoint is not one of this log");
    }

    private static async Task<string> PythonAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("python3", [Script(), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync().InTime();
        return output + await error.InTime();
    }

    private static string Script([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../../scripts/check-proof.py"));
}
