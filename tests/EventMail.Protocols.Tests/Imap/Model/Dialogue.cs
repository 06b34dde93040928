using System.Text;

namespace EventMail.Protocols.Tests.Imap.Model;

/// <summary>What all sessions said and heard, in the order in which it happened.</summary>
internal sealed class Dialogue
{
    private readonly StringBuilder _text = new();

    public void Note(string who, string side, string what) => _text.Append(who).Append(' ').Append(side).Append(": ").AppendLine(what.TrimEnd());

    public ModelFault Fault(string what) => new(what, _text.ToString());
}

/// <summary>Server and model do not agree.</summary>
internal sealed class ModelFault(string what, string dialogue) : Exception($"{what}\n--- the dialogue ---\n{dialogue}")
{
    /// <summary>The fault without the dialogue.</summary>
    public string What => what;
}
