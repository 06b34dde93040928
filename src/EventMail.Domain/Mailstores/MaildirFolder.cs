namespace EventMail.Domain.Mailstores;

/// <summary>
/// Maildir++: folders beside the inbox's cur, new and tmp, each with a dot before its name and one between levels (".Work.2026"). Names in
/// modified UTF-7 (RFC 3501 §5.1.3) or UTF-8; the caller decodes levels.
/// </summary>
public static class MaildirFolder
{
    /// <summary>The levels of a folder's name; null for what is no folder.</summary>
    public static string[]? Levels(string directory) =>
        directory.Length > 1 && directory[0] == '.' && directory != ".." && !directory.Contains("..", StringComparison.Ordinal) && !directory.EndsWith('.')
            ? directory[1..].Split('.')
            : null;

    /// <summary>The folder of a mailbox. A dot in a level would begin another one, and becomes "_".</summary>
    public static string Of(IEnumerable<string> encodedLevels) => "." + string.Join('.', encodedLevels.Select(level => level.Replace('.', '_')));
}
