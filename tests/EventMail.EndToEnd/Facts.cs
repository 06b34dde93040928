namespace EventMail.EndToEnd;

/// <summary>A test that needs programs of the system; skipped, and counted so, where one is missing.</summary>
public class NeedsFactAttribute : FactAttribute
{
    public NeedsFactAttribute(params string[] programs)
    {
        Skip = Reason(programs);
    }

    internal static string? Reason(string[] programs)
    {
        var missing = programs.Where(program => !ClientProgram.IsInstalled(program)).ToList();
        return missing.Count > 0 ? $"Not installed: {string.Join(", ", missing)}" : null;
    }
}

public sealed class NeedsTheoryAttribute : TheoryAttribute
{
    public NeedsTheoryAttribute(params string[] programs) => Skip = NeedsFactAttribute.Reason(programs);
}

/// <summary>The same for a test that also needs the corpus of real messages.</summary>
public sealed class NeedsCorpusFactAttribute : NeedsFactAttribute
{
    public NeedsCorpusFactAttribute(params string[] programs)
        : base(programs)
    {
        if (Corpus.Folder is null)
        {
            Skip ??= "No corpus of real messages: set EVENTMAIL_CORPUS.";
        }
    }
}
