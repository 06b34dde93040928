namespace EventMail.EndToEnd.Differential;

/// <summary>The dialogues in <c>Differential/Scripts</c>, with our server and with Dovecot.</summary>
public sealed class DifferentialDialogueTests(Peers peers) : IClassFixture<Peers>
{
    private static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Differential", "Scripts");

    public static TheoryData<string> Scripts { get; } = [.. Directory.GetFiles(Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [NeedsTheory(Dovecot.Program)]
    [MemberData(nameof(Scripts))]
    public async Task A_dialogue_goes_as_with_Dovecot(string script)
    {
        var differences = new Differences(ExplainedDifferences.Of(script));
        await Dialogue.RunAsync(await File.ReadAllLinesAsync(Path.Combine(Folder, script)), await peers.NewAccountAsync(), script, differences);
        differences.ShouldAllBeExplained();
    }
}
