namespace EventMail.Domain.Messages;

/// <summary>
/// The base subject of RFC 5256 §2.1: a subject without what replying and forwarding put around it. Each step moves an end of the
/// text, so that the whole is linear, however deep a hostile subject nests.
/// </summary>
public ref struct BaseSubject
{
    private const string ForwardHeader = "[fwd:";
    private const string ForwardTrailer = "(fwd)";

    private ReadOnlySpan<char> _text;

    // The run of blobs up to here is known not to end in a subj-refwd: how much of the text was left behind it.
    private int _plainBlobs;

    private BaseSubject(ReadOnlySpan<char> text)
    {
        _text = text;
        _plainBlobs = int.MaxValue;
    }

    /// <summary>A subj-refwd, a "(fwd)" or a subj-fwd was removed: the message is a reply or a forward.</summary>
    public bool IsReplyOrForward { get; private set; }

    /// <param name="subject">Its encoded words decoded, its lines unfolded.</param>
    public static string Of(string subject, out bool isReplyOrForward)
    {
        // (1) tabs to spaces, and no two spaces
        var spaced = subject.AsSpan().IndexOf('\t') >= 0 || subject.Contains("  ", StringComparison.Ordinal) ? Space(subject) : subject;
        var rest = new BaseSubject(spaced);
        do
        {
            rest.RemoveTrailers();
            while (rest.RemoveLeader() || rest.RemoveBlob())
            {
                // (5) until neither matches.
            }
        }
        while (rest.RemoveForward());
        isReplyOrForward = rest.IsReplyOrForward;
        return rest._text.Length == spaced.Length ? spaced : rest._text.ToString();
    }

    private static string Space(string subject)
    {
        var output = new char[subject.Length];
        var length = 0;
        foreach (var c in subject)
        {
            var spaced = c == '\t' ? ' ' : c;
            if (spaced != ' ' || length == 0 || output[length - 1] != ' ')
                output[length++] = spaced;
        }
        return new(output, 0, length);
    }

    // (2) subj-trailer = "(fwd)" / WSP
    private void RemoveTrailers()
    {
        while (true)
        {
            _text = _text.TrimEnd(' ');
            if (!_text.EndsWith(ForwardTrailer, StringComparison.OrdinalIgnoreCase))
                return;
            _text = _text[..^ForwardTrailer.Length];
            IsReplyOrForward = true;
            _plainBlobs = int.MaxValue;
        }
    }

    // (3) subj-leader = (*subj-blob subj-refwd) / WSP
    private bool RemoveLeader()
    {
        if (_text.StartsWith(' '))
        {
            _text = _text.TrimStart(' ');
            return true;
        }
        if (_text.Length > _plainBlobs)
            return false;
        var rest = _text;
        while (TryBlob(rest, out var behind))
            rest = behind;
        if (!TryReplyOrForward(rest, out var left))
        {
            _plainBlobs = rest.Length;
            return false;
        }
        _text = left;
        IsReplyOrForward = true;
        return true;
    }

    // (4) a subj-blob, if that leaves something
    private bool RemoveBlob()
    {
        if (!TryBlob(_text, out var behind) || behind.IsEmpty)
            return false;
        _text = behind;
        return true;
    }

    // (6) subj-fwd = "[fwd:" subject "]"
    private bool RemoveForward()
    {
        if (!_text.StartsWith(ForwardHeader, StringComparison.OrdinalIgnoreCase) || !_text.EndsWith(']'))
            return false;
        _text = _text[ForwardHeader.Length..^1];
        IsReplyOrForward = true;
        _plainBlobs = int.MaxValue;
        return true;
    }

    // subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
    private static bool TryReplyOrForward(ReadOnlySpan<char> text, out ReadOnlySpan<char> behind)
    {
        behind = text;
        if (text.StartsWith("re", StringComparison.OrdinalIgnoreCase))
            text = text[2..];
        else if (text.StartsWith("fw", StringComparison.OrdinalIgnoreCase))
            text = text[2..] is ['d' or 'D', .. var more] ? more : text[2..];
        else
            return false;
        text = text.TrimStart(' ');
        if (TryBlob(text, out var behindBlob))
            text = behindBlob;
        if (!text.StartsWith(':'))
            return false;
        behind = text[1..];
        return true;
    }

    // subj-blob = "[" *BLOBCHAR "]" *WSP
    private static bool TryBlob(ReadOnlySpan<char> text, out ReadOnlySpan<char> behind)
    {
        behind = text;
        if (!text.StartsWith('['))
            return false;
        var end = text[1..].IndexOfAny('[', ']', '\0');
        if (end < 0 || text[1 + end] != ']')
            return false;
        behind = text[(end + 2)..].TrimStart(' ');
        return true;
    }
}
