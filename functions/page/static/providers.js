export const PROVIDERS = {
 "openai": {
  "title": "OpenAI",
  "colour": "#166534"
 },
 "together": {
  "title": "Together AI",
  "colour": "#1e40af"
 },
 "replicate": {
  "title": "Replicate",
  "colour": "#6b21a8"
 },
 "gemini": {
  "title": "Google Gemini",
  "colour": "#854d0e"
 },
 "bedrock": {
  "title": "Amazon Bedrock",
  "colour": "#9f1239"
 },
 "ideogram": {
  "title": "Ideogram",
  "colour": "#3730a3"
 },
 "bfl": {
  "title": "Black Forest Labs",
  "colour": "#134e4a"
 },
 "fal": {
  "title": "fal",
  "colour": "#831843"
 }
};
