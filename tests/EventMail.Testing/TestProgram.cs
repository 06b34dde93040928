namespace EventMail.Testing;

/// <summary>The program that tests start as processes of its own: what ./test has published, or what was built beside the tests.</summary>
public static class TestProgram
{
    // Not with the prefix of settings, which the program would take it for.
    private const string Variable = "TEST_PROGRAM";

    public static string Path { get; } =
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } published ? published : System.IO.Path.Combine(AppContext.BaseDirectory, "eventmail.dll");
}
