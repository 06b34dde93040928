using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using EventMail.EventStore;
using EventMail.EventStore.Proof;

namespace EventMail.Host.Tests.Audit;

/// <summary>Proof files for trees of many sizes, and all of them altered octet by octet: neither our program nor the script in Python takes one for a proof.</summary>
public sealed class ProofFuzzTests
{
    private static readonly int[] Sizes = [1, 2, 3, 4, 5, 7, 8, 9, 16, 33];

    private static readonly NoteSigningKey Key = NoteSigningKey.Generate("log.example");

    private static readonly string[] Lines =
        [.. Enumerable.Range(0, 70).Select(i => $$$"""{"data":{"Content":{"Number":{{{i}}},"Sha256":"{{{new string('a', 64)}}}"}},"type":"mëssage \"{{{i}}}\"","version":{{{i}}}}""")];

    private static readonly LogLeaf[] Leaves =
        [.. Lines.Select((line, i) => new LogLeaf(3 * i + 2, TreeHash.Read(EventHash.Of(Encoding.UTF8.GetBytes(line)))))];

    private static TreeHash Hash(LeafRange range) => range.Hash(node =>
    {
        var frontier = new Frontier();
        foreach (var leaf in Leaves.AsSpan((int)(node.Index << node.Level), 1 << node.Level))
            frontier.Add(leaf.Hash);
        return frontier.Root();
    });

    private static SignedCheckpoint CheckpointOf(int size) =>
        SignedCheckpoint.Sign(Checkpoint.Of("log.example", size, Hash(new(0, size)), DateTimeOffset.UnixEpoch), Key);

    private static string[] Texts(IReadOnlyList<LeafRange> path) => [.. path.Select(range => Hash(range).ToString())];

    private static ProofFile Inclusion(int index, int size) => new(
        ProofFile.Format, ProofFile.CurrentVersion, CheckpointOf(size).ToString(),
        [new(Leaves[index].Position, index, Lines[index], Texts(TreePaths.Inclusion(index, size)))]);

    private static ConsistencyFile Consistency(int older, int size) => new(
        ConsistencyFile.Format, ConsistencyFile.CurrentVersion, CheckpointOf(older).ToString(), CheckpointOf(size).ToString(), Texts(TreePaths.Consistency(older, size)));

    /// <summary>Files of each size: first, last and middle leaf; each other size as the older one.</summary>
    private static IEnumerable<(string Name, byte[] Octets)> Files()
    {
        foreach (var size in Sizes)
        {
            foreach (var index in ((int[])[0, size / 2, size - 1]).Distinct())
                yield return ($"inclusion-{index}-{size}", Inclusion(index, size).ToJson());
            foreach (var older in Sizes.Where(older => older <= size && (size < 10 || older is 1 or 3 or 8 || older > 10)))
                yield return ($"consistency-{older}-{size}", Consistency(older, size).ToJson());
        }
    }

    // Null: it is read, and has no faults.
    private static string? FaultOf(byte[] octets)
    {
        try
        {
            return (ConsistencyFile.Is(octets) ? ConsistencyFile.Parse(octets).Faults(Key.Public) : ProofFile.Parse(octets).Faults(Key.Public)).FirstOrDefault();
        }
        catch (FormatException error)
        {
            return error.Message;
        }
    }

    [Fact]
    public void Every_proof_holds_and_none_with_an_octet_changed_says_anything_else()
    {
        var random = new Random(1);
        foreach (var (name, octets) in Files())
        {
            FaultOf(octets).ShouldBeNull(name);
            var meaning = JsonNode.Parse(octets);
            for (var i = 0; i < 300; i++)
            {
                var altered = octets.ToArray();
                altered[random.Next(altered.Length)] ^= (byte)(1 << random.Next(8));
                if (FaultOf(altered) is null)
                    JsonNode.DeepEquals(JsonNode.Parse(altered), meaning).ShouldBeTrue($"{name}: {Encoding.UTF8.GetString(altered)}");
            }
        }
    }

    [Fact]
    public void A_proof_for_another_leaf_size_or_log_is_none()
    {
        var another = NoteSigningKey.Generate("log.example");
        Inclusion(3, 9).Faults(another.Public).ShouldHaveSingleItem().ShouldContain("is not signed by");
        Consistency(3, 9).Faults(another.Public).Count().ShouldBe(2);
        foreach (var (index, size) in ((int, int)[])[(0, 1), (0, 2), (1, 2), (2, 3), (7, 8), (8, 9)])
        {
            var proof = Inclusion(index, size);
            var e = proof.Events[0];
            ProofFile With(ProvedEvent other) => proof with { Events = [other] };
            With(e with { Index = index + 1 }).Faults(Key.Public).ShouldHaveSingleItem();
            With(e with { Position = e.Position + 1 }).Faults(Key.Public).ShouldHaveSingleItem();
            With(e with { Line = Lines[index + 1] }).Faults(Key.Public).ShouldHaveSingleItem();
            With(e with { Path = [.. e.Path, TreeHash.Empty.ToString()] }).Faults(Key.Public).ShouldHaveSingleItem();
            (proof with { Checkpoint = CheckpointOf(size + 1).ToString() }).Faults(Key.Public).ShouldHaveSingleItem();
        }
        foreach (var (older, size) in ((int, int)[])[(1, 2), (2, 3), (3, 4), (4, 8), (7, 8), (8, 9), (9, 16)])
        {
            var proof = Consistency(older, size);
            (proof with { Older = CheckpointOf(older - 1).ToString() }).Faults(Key.Public).ShouldHaveSingleItem();
            (proof with { Older = proof.Checkpoint, Checkpoint = proof.Older }).Faults(Key.Public).ShouldHaveSingleItem();
            (proof with { Path = [.. proof.Path, TreeHash.Empty.ToString()] }).Faults(Key.Public).ShouldHaveSingleItem();
            (proof with { Path = proof.Path[1..] }).Faults(Key.Public).ShouldHaveSingleItem();
            // A log that was forked behind the older one's beginning.
            var forged = SignedCheckpoint.Sign(Checkpoint.Of("log.example", older, Leaves[older].Hash, DateTimeOffset.UnixEpoch), Key);
            (proof with { Older = forged.ToString() }).Faults(Key.Public).ShouldHaveSingleItem();
        }
    }

    [OpenSslFact]
    public async Task The_script_in_Python_comes_to_the_same()
    {
        var folder = Directory.CreateTempSubdirectory("eventmail-proofs-").FullName;
        try
        {
            var files = Files().ToList();
            foreach (var (name, octets) in files)
                await File.WriteAllBytesAsync(Path.Combine(folder, name), octets);
            using var process = Process.Start(new ProcessStartInfo(
                "python3", [Beside("fuzz-proofs.py"), Beside("../../../scripts/check-proof.py"), folder, Key.Public.ToString()])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var error = process.StandardError.ReadToEndAsync();
            (await process.StandardOutput.ReadToEndAsync()).ShouldStartWith($"{files.Count} files, ", customMessage: await error);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Beside(string path, [CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, path));
}
