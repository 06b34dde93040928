namespace EventMail.Domain.Messages;

/// <summary>One parameter as the header has it: RFC 2231 segments ("name*0*") are separate and encoded.</summary>
public readonly record struct Parameter(Octets Name, Octets Value);

internal static class ParameterParser
{
    /// <summary>RFC 2045 §5.1: *(";" parameter). Broken parameters are skipped up to the next semicolon.</summary>
    public static Parameter[] Read(ref HeaderTokens tokens, int maxParameters)
    {
        List<Parameter>? list = null;
        while (!tokens.AtEnd)
        {
            tokens.SkipTo((byte)';', (byte)';');
            if (!tokens.TryTake((byte)';'))
                break;
            tokens.SkipCfws();
            var name = tokens.ReadToken();
            if (name.Length == 0 || !tokens.TryTake((byte)'='))
                continue;
            tokens.SkipCfws();
            var value = tokens.ReadParameterValue();
            if (list?.Count >= maxParameters)
                break;
            (list ??= new List<Parameter>(4)).Add(new Parameter(name, value));
        }
        return list is null ? [] : [.. list];
    }
}
