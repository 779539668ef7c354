/** The words of the whole page in Japanese, those of the elements included. */

import { WORDS as ELEMENTS } from "./elements-ja.js";

export const WORDS = {
 "about": "チャットで画像を作成。料金は事前に表示されます。",
 "skip": "メッセージ入力欄へ移動",
 "views": "ビュー",
 "create": "作成",
 "gallery": "ギャラリー",
 "usage": "利用状況",
 "developer": "開発者向け",
 "yourToken": "あなたのトークン",
 "enterYourToken": "トークンを入力",
 "signIn": "サインイン",
 "signOut": "サインアウト",
 "forDevelopers": "開発者向け：トークンを使う",
 "useToken": "使用する",
 "forgetToken": "消去する",
 "tokenHint": "サインインサービスのトークンです。このタブの中だけで使われ、タブを閉じると消えます。ローカル環境では起動時に表示されます。",
 "conversations": "会話一覧",
 "newChat": "新しいチャット",
 "conversation": "会話",
 "hello": "何を作りましょうか？",
 "promise": "ボタンに表示された金額がお支払いの上限です。お支払いは一度だけ、画像を受け取ったときに限ります。",
 "uploadPicture": "画像をアップロード",
 "fileToUpload": "アップロードするファイル",
 "chooseYours": "自分の画像から選ぶ",
 "message": "メッセージ",
 "describe": "画像を説明してください…",
 "settings": "設定",
 "send": "送信",
 "needsScript": "このページにはJavaScriptが必要です。"
};

export const ALL = { ...ELEMENTS, ...WORDS };
